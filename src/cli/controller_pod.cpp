#include "cli/controller_pod.hpp"

#include "smw/kube/meta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace smw::cli {
namespace {

/// Minutes since 1970 of a round in 2025; which one does not matter, that it is digits does.
constexpr std::string_view kRound = "29000000";
/// The API server cuts generateName to 58 bytes and appends five letters.
constexpr std::size_t kMaxGenerated = 58;
constexpr std::string_view kFinalizer = "batch.kubernetes.io/job-tracking";

using Strings = std::vector<std::pair<std::string, std::string>>;

/// What of an object's metadata its children take over.
struct Parent {
    std::string api_version;
    std::string kind;
    std::string name;
    std::string namespace_;
    std::string uid;
};

/// Follows `keys` down; each must be an object.
Expected<json::Value> descend(json::Value object, std::initializer_list<std::string_view> keys) {
    std::string path;
    for (const auto key : keys) {
        path += path.empty() ? std::string{key} : fmt::format(".{}", key);
        const auto member = object.find(key);
        if (!member) {
            return fail(Code::BadRequest, fmt::format("{} is missing", path));
        }
        if (!member->is_object()) {
            return kube::mistyped(path, json::Kind::Object, member->kind());
        }
        object = *member;
    }
    return object;
}

std::string_view string_or(json::Value object, std::string_view key, std::string_view fallback) {
    const auto member = object.find(key);
    return member ? member->string().value_or(fallback) : fallback;
}

/// A Job created by generateName has no name yet: one that the API server could give it.
std::string name_of(std::string_view name, std::string_view generate_name) {
    if (!name.empty() || generate_name.empty()) {
        return std::string{name};
    }
    return fmt::format("{}xxxxx", generate_name.substr(0, kMaxGenerated));
}

Expected<Parent> read_parent(json::Value object) {
    const auto metadata = descend(object, {"metadata"});
    if (!metadata) {
        return tl::unexpected(metadata.error());
    }
    constexpr std::array<std::string_view, 4> kKeys = {"name", "generateName", "namespace", "uid"};
    std::array<std::string_view, 4> texts;
    for (std::size_t at = 0; at < kKeys.size(); ++at) {
        const auto text = kube::optional_string(*metadata, kKeys[at], "metadata");
        if (!text) {
            return tl::unexpected(text.error());
        }
        texts[at] = *text;
    }
    Parent parent;
    parent.api_version = string_or(object, "apiVersion", "batch/v1");
    parent.kind = string_or(object, "kind", "");
    parent.name = name_of(texts[0], texts[1]);
    parent.namespace_ = texts[2].empty() ? "default" : texts[2];
    parent.uid = texts[3];
    if (parent.name.empty()) {
        return fail(Code::BadRequest, "metadata.name is missing");
    }
    return parent;
}

/// Copies the members of the child's template that are not among `except`.
void copy_members(json::Writer& writer, std::optional<json::Value> object,
                  std::initializer_list<std::string_view> except) {
    if (!object) {
        return;
    }
    for (const auto& [key, value] : object->members()) {
        if (std::ranges::find(except, key) == except.end()) {
            writer.member(key, json::Text{value.text()});
        }
    }
}

/// What the API server adds to a Job's pod template. An older cluster has the short names only.
Strings job_labels(const Parent& job) {
    Strings labels{{"batch.kubernetes.io/job-name", job.name}, {"job-name", job.name}};
    if (!job.uid.empty()) {
        labels.emplace_back("batch.kubernetes.io/controller-uid", job.uid);
        labels.emplace_back("controller-uid", job.uid);
    }
    return labels;
}

void write_labels(json::Writer& writer, std::optional<json::Value> labels, const Strings& added) {
    writer.key("labels").begin_object();
    copy_members(writer, labels, {});
    for (const auto& [key, value] : added) {
        if (!labels || !labels->find_raw(key)) {
            writer.member(key, std::string_view{value});
        }
    }
    writer.end_object();
}

void write_owner(json::Writer& writer, const Parent& parent) {
    writer.key("ownerReferences").begin_array().begin_object();
    writer.member("apiVersion", std::string_view{parent.api_version});
    writer.member("kind", std::string_view{parent.kind});
    writer.member("name", std::string_view{parent.name});
    if (!parent.uid.empty()) {
        writer.member("uid", std::string_view{parent.uid});
    }
    writer.member("controller", true).member("blockOwnerDeletion", true);
    writer.end_object().end_array();
}

void write_finalizers(json::Writer& writer, std::optional<json::Value> finalizers) {
    writer.key("finalizers").begin_array();
    if (finalizers) {
        for (const json::Value finalizer : finalizers->items()) {
            if (finalizer.string() != kFinalizer) {
                writer.value(json::Text{finalizer.text()});
            }
        }
    }
    writer.value(kFinalizer).end_array();
}

}  // namespace

Expected<json::Text> pod_of_job(json::Value job) {
    const auto parent = read_parent(job);
    if (!parent) {
        return tl::unexpected(parent.error());
    }
    const auto spec = descend(job, {"spec", "template", "spec"});
    if (!spec) {
        return tl::unexpected(spec.error());
    }
    const auto pod_template = *descend(job, {"spec", "template"});
    const auto metadata = kube::optional_object(pod_template, "metadata", "spec.template");
    if (!metadata) {
        return tl::unexpected(metadata.error());
    }
    const auto member = [&](std::string_view key) {
        return *metadata ? (*metadata)->find(key) : std::nullopt;
    };
    json::Text pod;
    json::Writer writer{pod.json};
    writer.begin_object().member("apiVersion", "v1").member("kind", "Pod");
    writer.key("metadata").begin_object();
    writer.member("generateName", std::string_view{parent->name + '-'});
    writer.member("namespace", std::string_view{parent->namespace_});
    write_labels(writer, member("labels"), job_labels(*parent));
    if (const auto annotations = member("annotations")) {
        writer.member("annotations", json::Text{annotations->text()});
    }
    write_owner(writer, *parent);
    write_finalizers(writer, member("finalizers"));
    writer.end_object().member("spec", json::Text{spec->text()}).end_object();
    return pod;
}

Expected<json::Text> job_of_cronjob(json::Value cronjob) {
    const auto parent = read_parent(cronjob);
    if (!parent) {
        return tl::unexpected(parent.error());
    }
    const auto spec = descend(cronjob, {"spec", "jobTemplate", "spec"});
    if (!spec) {
        return tl::unexpected(spec.error());
    }
    const auto metadata = kube::optional_object(*descend(cronjob, {"spec", "jobTemplate"}),
                                                "metadata", "spec.jobTemplate");
    if (!metadata) {
        return tl::unexpected(metadata.error());
    }
    json::Text job;
    json::Writer writer{job.json};
    writer.begin_object().member("apiVersion", "batch/v1").member("kind", "Job");
    writer.key("metadata").begin_object();
    writer.member("name", std::string_view{fmt::format("{}-{}", parent->name, kRound)});
    writer.member("namespace", std::string_view{parent->namespace_});
    copy_members(writer, *metadata,
                 {"name", "generateName", "namespace", "ownerReferences", "uid"});
    write_owner(writer, *parent);
    writer.end_object().member("spec", json::Text{spec->text()}).end_object();
    return job;
}

}  // namespace smw::cli
