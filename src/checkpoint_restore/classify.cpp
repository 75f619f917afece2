#include "checkpoint_restore/classify.hpp"

#include "checkpoint_restore/annotations.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::checkpoint_restore {
namespace {

constexpr std::string_view kObject = "request.object";
constexpr std::string_view kMetadata = "request.object.metadata";
constexpr std::string_view kAnnotations = "request.object.metadata.annotations";
constexpr std::string_view kSpec = "request.object.spec";

constexpr std::size_t kMaxNonce = 40;
constexpr std::size_t kUsualContainers = 8;

using OptionalValue = std::optional<json::Value>;

/// A member of that kind, nothing when absent or null.
Expected<OptionalValue> member(OptionalValue object, std::string_view key, json::Kind kind,
                               std::string_view path) {
    const auto found = object ? object->find(key) : std::nullopt;
    if (found && found->kind() != kind) {
        return kube::mistyped(fmt::format("{}.{}", path, key), kind, found->kind());
    }
    return found;
}

/// A text that only the log shows: never worth a refusal.
std::string_view display_text(OptionalValue object, std::string_view key) {
    const auto found = object ? object->find(key) : std::nullopt;
    return found ? found->string().value_or(std::string_view{}) : std::string_view{};
}

std::string_view display_name(const admission::Request& request, OptionalValue metadata) {
    for (const auto name :
         {display_text(metadata, "name"), display_text(metadata, "generateName")}) {
        if (!name.empty()) {
            return name;
        }
    }
    return request.name;
}

Expected<std::string_view> text_at(OptionalValue object, std::string_view key,
                                   std::string_view path) {
    return object ? kube::optional_string(*object, key, path)
                  : Expected<std::string_view>{std::string_view{}};
}

/// The namespace of the request, else the object's, else "default".
Expected<std::string_view> read_namespace(const admission::Request& request,
                                          OptionalValue metadata) {
    if (!request.namespace_.empty()) {
        return request.namespace_;
    }
    auto own = text_at(metadata, "namespace", kMetadata);
    if (own && own->empty()) {
        return "default";
    }
    return own;
}

Expected<void> read_list(OptionalValue spec, std::string_view list,
                         std::vector<Container>& containers) {
    const auto entries = member(spec, list, json::Kind::Array, kSpec);
    if (!entries) {
        return tl::unexpected(entries.error());
    }
    if (!*entries) {
        return {};
    }
    containers.reserve(containers.size() + std::min((*entries)->size(), kUsualContainers));
    std::size_t index = 0;
    for (const auto entry : (*entries)->items()) {
        const auto path = [&](std::string_view key) {
            return fmt::format("{}.{}[{}]{}{}", kSpec, list, index, key.empty() ? "" : ".", key);
        };
        if (!entry.is_object()) {
            return kube::mistyped(path(""), json::Kind::Object, entry.kind());
        }
        Container container;
        container.list = list;
        container.index = index;
        const auto name = entry.find("name");
        const auto image = entry.find("image");
        if (name && !name->string()) {
            return kube::mistyped(path("name"), json::Kind::String, name->kind());
        }
        if (image && !image->string()) {
            return kube::mistyped(path("image"), json::Kind::String, image->kind());
        }
        container.name = name ? *name->string() : std::string_view{};
        if (image) {
            container.image = image->string();
        }
        // One without a name is the API server's to refuse, and a review could have millions.
        if (!container.name.empty()) {
            containers.push_back(container);
        }
        ++index;
    }
    return {};
}

Expected<void> read_containers(json::Value object, std::vector<Container>& containers) {
    const auto spec = member(object, "spec", json::Kind::Object, kObject);
    if (!spec) {
        return tl::unexpected(spec.error());
    }
    auto read = read_list(*spec, "containers", containers);
    return read ? read_list(*spec, "initContainers", containers) : read;
}

/// At most 40 printable ASCII characters of it; what a warning may carry.
std::string cut_nonce(std::string_view nonce) {
    std::string cut;
    for (const char c : nonce) {
        if (c >= 0x20 && c < 0x7f && cut.size() < kMaxNonce) {
            cut.push_back(c);
        }
    }
    return cut;
}

/// The annotations that a pod of a Job is asked for. Returns what they settle.
Expected<std::optional<Reason>> read_annotations(const admission::Request& request,
                                                 const Settings& settings,
                                                 OptionalValue annotations, Classified& result) {
    if (request.dry_run) {
        const auto nonce = text_at(annotations, kSelfTestAnnotation, kAnnotations);
        if (!nonce) {
            return tl::unexpected(nonce.error());
        }
        result.nonce = cut_nonce(*nonce);
        if (!result.nonce.empty()) {
            return Reason::SelfTest;
        }
    }
    const auto skip = text_at(annotations, kSkipRestoreAnnotation, kAnnotations);
    if (!skip) {
        return tl::unexpected(skip.error());
    }
    if (*skip == "true") {
        return Reason::SkippedByAnnotation;
    }
    result.pod.has_annotations = annotations.has_value();
    if (settings.annotate_restored && annotations) {
        const auto restored_from = text_at(annotations, kRestoredFromAnnotation, kAnnotations);
        if (!restored_from) {
            return tl::unexpected(restored_from.error());
        }
        if (annotations->find(kRestoredFromAnnotation)) {
            result.pod.restored_from = *restored_from;
        }
    }
    return std::nullopt;
}

Expected<void> read_job_owner(OptionalValue metadata, Pod& pod) {
    if (!metadata) {
        return {};
    }
    const auto owners = kube::read_owner_references(*metadata, kMetadata);
    if (!owners) {
        return tl::unexpected(owners.error());
    }
    if (const auto* job = kube::find_owner(*owners, "batch", "Job")) {
        pod.job = job->name;
        pod.job_uid = job->uid;
    }
    return {};
}

/// Of a pod that is being created: in the order of the contract, stopping at what settles it.
Expected<std::optional<Reason>> read_pod(const admission::Request& request,
                                         const Settings& settings, Classified& result) {
    if (!request.object) {
        return fail(Code::BadRequest, fmt::format("{} is missing", kObject));
    }
    if (!request.object->is_object()) {
        return kube::mistyped(kObject, json::Kind::Object, request.object->kind());
    }
    const auto metadata = member(request.object, "metadata", json::Kind::Object, kObject);
    if (!metadata) {
        return tl::unexpected(metadata.error());
    }
    Pod& pod = result.pod;
    pod.object = request.object;
    pod.name = display_name(request, *metadata);
    const auto namespace_ = read_namespace(request, *metadata);
    if (!namespace_) {
        return tl::unexpected(namespace_.error());
    }
    pod.namespace_ = *namespace_;
    if (!settings.decides_in(pod.namespace_)) {
        return Reason::NotApplicable;
    }
    const auto annotations = member(*metadata, "annotations", json::Kind::Object, kMetadata);
    if (!annotations) {
        return tl::unexpected(annotations.error());
    }
    // A mirror pod stands for one that a kubelet runs from a file: changing it changes nothing.
    if (const auto mirror = text_at(*annotations, kMirrorPodAnnotation, kAnnotations); !mirror) {
        return tl::unexpected(mirror.error());
    }
    if (*annotations && (*annotations)->find(kMirrorPodAnnotation)) {
        return Reason::NotApplicable;
    }
    if (const auto read = read_job_owner(*metadata, pod); !read) {
        return tl::unexpected(read.error());
    }
    if (pod.job.empty()) {
        return Reason::NotFromJob;
    }
    auto settled = read_annotations(request, settings, *annotations, result);
    if (!settled || *settled) {
        return settled;
    }
    if (const auto read = read_containers(*request.object, pod.containers); !read) {
        return tl::unexpected(read.error());
    }
    return std::nullopt;
}

}  // namespace

Expected<Classified> classify(const admission::Request& request, const Settings& settings) {
    Classified result;
    result.pod.namespace_ = request.namespace_;
    result.pod.name = request.name;
    const bool pod_created = request.kind.kind == "Pod" && request.kind.group.empty() &&
                             request.operation == admission::Operation::Create &&
                             request.sub_resource.empty();
    if (!pod_created) {
        result.settled = Reason::NotApplicable;
        return result;
    }
    auto settled = read_pod(request, settings, result);
    if (!settled) {
        return tl::unexpected(settled.error());
    }
    result.settled = *settled;
    return result;
}

}  // namespace smw::checkpoint_restore
