#include "smw/cert_rotation/world.hpp"

#include "smw/base/base64.hpp"

#include <fmt/format.h>

namespace smw::cert_rotation {
namespace {

std::optional<json::Value> member(const std::optional<json::Value>& object, std::string_view key) {
    return object ? object->find(key) : std::nullopt;
}

/// Empty when it is absent or of another type.
std::string text(const std::optional<json::Value>& object, std::string_view key) {
    const auto found = member(object, key);
    return std::string{found ? found->string().value_or("") : ""};
}

SecretValue read_value(json::Value secret, const std::string& key) {
    const auto encoded = member(secret.find("data"), key);
    if (!encoded) {
        return {key, "", fmt::format("has no {}", key)};
    }
    const auto digits = encoded->string();
    auto bytes = digits ? decode_base64(*digits) : std::nullopt;
    if (!bytes) {
        return {key, "", fmt::format("has a {} that is no base64", key)};
    }
    return {key, std::move(*bytes), ""};
}

std::optional<std::string> read_annotation(json::Value object, std::string_view name) {
    const auto annotations = member(object.find("metadata"), "annotations");
    const auto found = member(annotations, fmt::format("{}{}", kAnnotationPrefix, name));
    const auto content = found ? found->string() : std::nullopt;
    return content ? std::optional{std::string{*content}} : std::nullopt;
}

bool calls(const std::optional<json::Value>& client_config, const ServiceName& wanted) {
    const auto service = member(client_config, "service");
    return service && text(service, "name") == wanted.name &&
           text(service, "namespace") == wanted.namespace_;
}

}  // namespace

Seen read_seen(json::Value object) {
    const auto metadata = object.find("metadata");
    return {text(metadata, "uid"), text(metadata, "resourceVersion")};
}

std::string_view to_string(ConfigurationKind kind) {
    switch (kind) {
        case ConfigurationKind::Mutating:
            return "MutatingWebhookConfiguration";
        case ConfigurationKind::Validating:
            return "ValidatingWebhookConfiguration";
    }
    return "";
}

CaSecret read_ca_secret(json::Value object) {
    CaSecret secret;
    secret.seen = read_seen(object);
    secret.ca_crt = read_value(object, "ca.crt");
    secret.ca_key = read_value(object, "ca.key");
    secret.next_crt = read_value(object, "ca-next.crt");
    secret.next_key = read_value(object, "ca-next.key");
    secret.in_use_since = read_annotation(object, kInUseSince);
    secret.rotate = read_annotation(object, kRotate);
    secret.compromised = read_annotation(object, kCompromised);
    secret.next_made_for = read_annotation(object, kNextMadeFor);
    secret.rotated = read_annotation(object, kRotated);
    secret.compromised_done = read_annotation(object, kCompromisedDone);
    secret.old_ca = read_annotation(object, kOldCa);
    return secret;
}

CertsSecret read_certs_secret(json::Value object) {
    return {read_seen(object), read_value(object, "tls.crt"), read_value(object, "tls.key"),
            read_value(object, "ca.crt")};
}

WebhookConfiguration read_configuration(json::Value object, ConfigurationKind kind,
                                        const ServiceName& service) {
    WebhookConfiguration configuration;
    configuration.kind = kind;
    configuration.name = text(object.find("metadata"), "name");
    configuration.seen = read_seen(object);
    const auto webhooks = object.find("webhooks");
    if (!webhooks) {
        return configuration;
    }
    for (const auto webhook : webhooks->items()) {
        const auto client_config = webhook.find("clientConfig");
        auto name = text(webhook, "name");
        if (!name.empty() && calls(client_config, service)) {
            auto bundle = decode_base64(text(client_config, "caBundle"));
            configuration.entries.push_back({std::move(name), std::move(bundle).value_or("")});
        }
    }
    return configuration;
}

}  // namespace smw::cert_rotation
