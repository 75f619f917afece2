// AdmissionReview to Request. Every byte is somebody else's: what is wrong is named, never
// repeated.

#include "admission/api_version.hpp"
#include "smw/admission/review.hpp"

#include <array>

namespace smw::admission {
namespace {

constexpr std::array<Operation, 4> kOperations{Operation::Create, Operation::Update,
                                               Operation::Delete, Operation::Connect};

/// A string member of `object`, absent or null being empty, and where it goes.
struct Field {
    std::string_view key;
    std::string_view& target;
};

template <std::size_t Count>
Expected<void> read_strings(json::Value object, std::string_view path,
                            const std::array<Field, Count>& fields) {
    for (const auto& field : fields) {
        const auto text = kube::optional_string(object, field.key, path);
        if (!text) {
            return tl::unexpected(text.error());
        }
        field.target = *text;
    }
    return {};
}

Expected<Version> read_version(json::Value root) {
    std::string_view kind;
    std::string_view version;
    const std::array<Field, 2> fields{{{"kind", kind}, {"apiVersion", version}}};
    if (const auto read = read_strings(root, "", fields); !read) {
        return tl::unexpected(read.error());
    }
    if (kind != kReviewKind) {
        return fail(Code::BadRequest, "kind must be AdmissionReview");
    }
    for (const auto known : {Version::V1, Version::V1beta1}) {
        if (version == api_version(known)) {
            return known;
        }
    }
    return fail(Code::BadRequest,
                "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1");
}

Operation operation_of(std::string_view text) {
    for (const auto operation : kOperations) {
        if (text == to_string(operation)) {
            return operation;
        }
    }
    return Operation::Unknown;
}

Expected<kube::GroupVersionKind> read_kind(json::Value request) {
    const auto object = kube::optional_object(request, "kind", "request");
    if (!object) {
        return tl::unexpected(object.error());
    }
    kube::GroupVersionKind kind;
    if (*object) {
        const std::array<Field, 3> fields{
            {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}}};
        if (const auto read = read_strings(**object, "request.kind", fields); !read) {
            return tl::unexpected(read.error());
        }
    }
    return kind;
}

Expected<Request> read_request(json::Value from) {
    Request request;
    std::string_view operation;
    const std::array<Field, 5> fields{{{"uid", request.uid},
                                       {"subResource", request.sub_resource},
                                       {"namespace", request.namespace_},
                                       {"name", request.name},
                                       {"operation", operation}}};
    if (const auto read = read_strings(from, "request", fields); !read) {
        return tl::unexpected(read.error());
    }
    if (request.uid.empty()) {
        return fail(Code::BadRequest, "request.uid is missing or empty");
    }
    const auto kind = read_kind(from);
    if (!kind) {
        return tl::unexpected(kind.error());
    }
    const auto dry_run = kube::optional_boolean(from, "dryRun", "request");
    if (!dry_run) {
        return tl::unexpected(dry_run.error());
    }
    request.kind = *kind;
    request.operation = operation_of(operation);
    request.dry_run = *dry_run;
    request.object = from.find("object");
    return request;
}

}  // namespace

std::string_view to_string(Operation operation) {
    switch (operation) {
        case Operation::Create:
            return "CREATE";
        case Operation::Update:
            return "UPDATE";
        case Operation::Delete:
            return "DELETE";
        case Operation::Connect:
            return "CONNECT";
        case Operation::Unknown:
            return "unknown";
    }
    return "unknown";
}

Expected<Request> decode_review(json::Value root) {
    if (!root.is_object()) {
        return kube::mistyped("the body", json::Kind::Object, root.kind());
    }
    const auto version = read_version(root);
    if (!version) {
        return tl::unexpected(version.error());
    }
    const auto from = kube::optional_object(root, "request", "");
    if (!from) {
        return tl::unexpected(from.error());
    }
    if (!*from) {
        return fail(Code::BadRequest, "request is missing");
    }
    auto request = read_request(**from);
    if (request) {
        request->version = *version;
    }
    return request;
}

}  // namespace smw::admission
