// Response to AdmissionReview. v1 and v1beta1 have one shape; the API server's own checks are those
// of its pkg/admission/plugin/webhook/request/admissionreview.go.

#include "admission/api_version.hpp"
#include "admission/warnings.hpp"
#include "smw/admission/review.hpp"

#include <algorithm>

namespace smw::admission {
namespace {

/// The API server makes 400 of anything lower.
constexpr int kLeastDenialCode = 400;
/// The fixed texts of a review and its uid.
constexpr std::size_t kEnvelope = 320;

/// A patch goes only along with an allowance, and only where there is an object to patch: anything
/// else fails the request whatever its failurePolicy. An empty patch is none.
bool sends_patch(const Request& request, const Response& response) {
    return response.allowed && request.object && response.patch && !response.patch->json.empty() &&
           response.patch->json != "[]";
}

std::size_t size_hint(const Response& response) {
    std::size_t size = kEnvelope;
    if (response.patch) {
        size += response.patch->json.size() / 3 * 4;
    }
    for (const auto& [key, value] : response.audit_annotations) {
        size += key.size() + value.size() + 8;
    }
    return size + response.warnings.size() * (kMaxWarning + 4);
}

void write_status(json::Writer& writer, kube::Status status) {
    status.code = std::max(status.code, kLeastDenialCode);
    writer.member("status", json::Text{kube::to_json(status)});
}

void write_audit_annotations(json::Writer& writer, const Response& response) {
    if (response.audit_annotations.empty()) {
        return;
    }
    writer.key("auditAnnotations").begin_object();
    for (const auto& [key, value] : response.audit_annotations) {
        writer.member(key, value);
    }
    writer.end_object();
}

void write_warnings(json::Writer& writer, const Response& response) {
    const auto warnings = presentable(response.warnings);
    if (warnings.empty()) {
        return;
    }
    writer.key("warnings").begin_array();
    for (const auto& warning : warnings) {
        writer.value(warning);
    }
    writer.end_array();
}

}  // namespace

std::string encode_review(const Request& request, const Response& response) {
    std::string out;
    out.reserve(size_hint(response));
    json::Writer writer{out};
    writer.begin_object();
    writer.member("kind", kReviewKind).member("apiVersion", api_version(request.version));
    writer.key("response").begin_object();
    writer.member("uid", request.uid).member("allowed", response.allowed);
    if (!response.allowed && response.status) {
        write_status(writer, *response.status);
    }
    if (sends_patch(request, response)) {
        writer.member("patchType", "JSONPatch").key("patch").base64(response.patch->json);
    }
    write_audit_annotations(writer, response);
    write_warnings(writer, response);
    writer.end_object().end_object();
    return out;
}

}  // namespace smw::admission
