#pragma once
// admission.k8s.io AdmissionReview, v1 and v1beta1: bytes to Request, Response to bytes. Pure.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::admission {

enum class Version { V1, V1beta1 };
enum class Operation { Create, Update, Delete, Connect, Unknown };

/// As the metric label and the wire have it: "CREATE", and "unknown".
[[nodiscard]] std::string_view to_string(Operation operation);

/// AdmissionRequest. Views into the Document it was decoded from, which outlives it.
struct Request {
    Version version = Version::V1;
    std::string_view uid;
    kube::GroupVersionKind kind;
    std::string_view sub_resource;
    std::string_view namespace_;
    std::string_view name;
    Operation operation = Operation::Unknown;
    bool dry_run = false;
    std::optional<json::Value> object;  ///< of any kind; nothing when absent or null
};

/// What is no review, and a mistyped field of Request except `object`, is BadRequest, in a sentence
/// that names the field and never repeats the input. An operation that we do not know is Unknown,
/// an absent `kind` is empty: such a request is a handler's to pass over.
[[nodiscard]] Expected<Request> decode_review(json::Value root);

/// Why a handler fell back to its `--on-error` answer: it could not decide.
enum class Undecided { No, Timeout, Error };

/// AdmissionResponse. `reason` is one of the handler's closed set.
struct Response {
    bool allowed = true;
    std::size_t reason = 0;              ///< index into Handler::reasons()
    std::optional<kube::Status> status;  ///< of a denial; a code below 400 becomes 400
    /// A proven JSON Patch with at least one op. Sent only when allowed, and only where the request
    /// has an object.
    std::optional<json::Text> patch;
    /// Cut to 120 characters each and 4096 in all; control characters, invalid UTF-8, empty ones
    /// and repetitions are removed.
    std::vector<std::string> warnings;
    /// Bare keys: no '/', at most 63 characters, as a label's name. Each once.
    std::vector<std::pair<std::string, std::string>> audit_annotations;
    Undecided undecided = Undecided::No;
};

/// The review that answers `request`: same apiVersion, same uid.
[[nodiscard]] std::string encode_review(const Request& request, const Response& response);

}  // namespace smw::admission
