#include "smw/cert_rotation/bodies.hpp"

#include "smw/base/base64.hpp"
#include "smw/base/quote.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

namespace smw::cert_rotation {
namespace {

constexpr std::string_view kComponent = "stateful-migration-webhook";
/// events.k8s.io/v1 takes no longer note.
constexpr std::size_t kLongestNote = 1024;

void write_seen(json::Writer& writer, const Seen& seen) {
    writer.member("uid", seen.uid).member("resourceVersion", seen.resource_version);
}

void write_data(json::Writer& writer, const SecretChange& change) {
    writer.key("data").begin_object();
    for (const auto& [key, bytes] : change.data) {
        writer.key(key).base64(bytes);
    }
    writer.end_object();
}

void write_annotations(json::Writer& writer, const SecretChange& change) {
    writer.key("annotations").begin_object();
    for (const auto& [name, content] : change.annotations) {
        writer.key(fmt::format("{}{}", kAnnotationPrefix, name));
        if (content) {
            writer.value(*content);
        } else {
            writer.null();
        }
    }
    writer.end_object();
}

std::string api_version(const kube::Resource& resource) {
    return resource.group.empty() ? resource.version : resource.group + "/" + resource.version;
}

/// At most so many bytes, ending with a whole character.
std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return text;
    }
    std::size_t end = 0;
    for (std::size_t next = 0; next <= most;) {
        end = next;
        const auto length = utf8_sequence_length(text.substr(next));
        next += length == 0 ? 1 : length;
    }
    return text.substr(0, end);
}

}  // namespace

json::Text create_secret(const kube::ObjectKey& key, std::string_view type,
                         const SecretChange& change) {
    json::Text body;
    json::Writer writer{body.json};
    writer.begin_object().member("apiVersion", "v1").member("kind", "Secret");
    writer.key("metadata").begin_object();
    writer.member("namespace", key.namespace_).member("name", key.name);
    // What the deploy scripts know ours by.
    writer.key("labels").begin_object().member("app", kComponent).end_object();
    SecretChange present = change;
    std::erase_if(present.annotations, [](const auto& pair) { return !pair.second; });
    if (!present.annotations.empty()) {
        write_annotations(writer, present);
    }
    writer.end_object().member("type", type);
    write_data(writer, change);
    writer.end_object();
    return body;
}

json::Text patch_secret(const Seen& seen, const SecretChange& change) {
    json::Text body;
    json::Writer writer{body.json};
    writer.begin_object().key("metadata").begin_object();
    write_seen(writer, seen);
    if (!change.annotations.empty()) {
        write_annotations(writer, change);
    }
    writer.end_object();
    if (!change.data.empty()) {
        write_data(writer, change);
    }
    writer.end_object();
    return body;
}

json::Text apply_bundle(const WebhookConfiguration& configuration, std::string_view bundle_pem) {
    const auto encoded = encode_base64(bundle_pem);
    json::Text body;
    json::Writer writer{body.json};
    writer.begin_object().member("apiVersion", "admissionregistration.k8s.io/v1");
    writer.member("kind", to_string(configuration.kind));
    writer.key("metadata").begin_object().member("name", configuration.name);
    write_seen(writer, configuration.seen);
    writer.end_object().key("webhooks").begin_array();
    for (const auto& entry : configuration.entries) {
        writer.begin_object().member("name", entry.name);
        writer.key("clientConfig").begin_object().member("caBundle", encoded).end_object();
        writer.end_object();
    }
    writer.end_array().end_object();
    return body;
}

json::Text request_rotation(const RotationRequest& request) {
    SecretChange change;
    if (request.compromised.empty()) {
        change.annotations = {{std::string{kRotate}, tls::to_text(request.at)}};
    } else {
        change.annotations = {{std::string{kCompromised}, request.compromised}};
    }
    json::Text body;
    json::Writer writer{body.json};
    writer.begin_object().key("metadata").begin_object();
    write_annotations(writer, change);
    writer.end_object().end_object();
    return body;
}

json::Text create_event(const EventRecord& event) {
    const auto at = tls::to_text(event.at);
    json::Text body;
    json::Writer writer{body.json};
    writer.begin_object().member("apiVersion", "v1").member("kind", "Event");
    writer.key("metadata").begin_object();
    writer.member("namespace", event.involved.namespace_);
    writer.member("generateName", event.involved.name + ".").end_object();
    writer.key("involvedObject").begin_object();
    writer.member("apiVersion", api_version(event.resource));
    writer.member("kind", event.resource.kind);
    writer.member("namespace", event.involved.namespace_).member("name", event.involved.name);
    if (!event.uid.empty()) {
        writer.member("uid", event.uid);
    }
    writer.end_object().member("reason", event.reason);
    writer.member("message", cut(event.message, kLongestNote));
    writer.member("type", event.is_warning ? "Warning" : "Normal");
    writer.key("source").begin_object().member("component", kComponent);
    writer.member("host", event.host).end_object();
    writer.member("firstTimestamp", at).member("lastTimestamp", at);
    writer.member("count", std::int64_t{1});
    writer.member("reportingComponent", kComponent).member("reportingInstance", event.host);
    writer.end_object();
    return body;
}

}  // namespace smw::cert_rotation
