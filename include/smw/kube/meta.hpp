#pragma once
// What every Kubernetes object has: names, owners, Status. Values, no I/O.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::kube {

struct GroupVersionKind {
    std::string_view group;
    std::string_view version;
    std::string_view kind;
    friend bool operator==(const GroupVersionKind&, const GroupVersionKind&) = default;
};

/// One kind of object at the API server.
struct Resource {
    std::string group;
    std::string version;
    std::string kind;
    std::string plural;  ///< as in the URL, and the `resource` label of metrics
    friend bool operator==(const Resource&, const Resource&) = default;
};

/// Names one object of a kind. `namespace_` is empty for cluster-scoped objects.
struct ObjectKey {
    std::string namespace_;
    std::string name;
    friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
    friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
};

/// The group in an apiVersion: "batch" of "batch/v1", "" of "v1" and of "".
[[nodiscard]] std::string_view group_of(std::string_view api_version);

/// metav1.OwnerReference, as views into the document it was read from.
struct OwnerReference {
    std::string_view api_version;
    std::string_view kind;
    std::string_view name;
    std::string_view uid;
    bool controller = false;
};

/// metadata.ownerReferences of an object; none when absent or null, null entries are left out. A
/// mistyped field is BadRequest and names its path, which begins with `path`
/// ("request.object.metadata").
[[nodiscard]] Expected<std::vector<OwnerReference>> read_owner_references(json::Value metadata,
                                                                          std::string_view path);

/// Of the references to `group`/`kind` the one with controller: true, else the first; nullptr when
/// there is none. One without apiVersion is of no kind. Points into `references`.
[[nodiscard]] const OwnerReference* find_owner(const std::vector<OwnerReference>& references,
                                               std::string_view group, std::string_view kind);

/// A string member that may be absent or null (then empty). Another type is BadRequest naming
/// `path`.key.
[[nodiscard]] Expected<std::string_view> optional_string(json::Value object, std::string_view key,
                                                         std::string_view path);
/// The same for a boolean (false when absent) and for an object (nothing when absent).
[[nodiscard]] Expected<bool> optional_boolean(json::Value object, std::string_view key,
                                              std::string_view path);
[[nodiscard]] Expected<std::optional<json::Value>> optional_object(json::Value object,
                                                                   std::string_view key,
                                                                   std::string_view path);

/// BadRequest: "request.object must be an object, not a string". Never repeats the value.
[[nodiscard]] tl::unexpected<Error> mistyped(
    std::string_view path, json::Kind wanted, json::Kind found,
    std::source_location where = std::source_location::current());

/// metav1.Time: an RFC 3339 instant, as Go's time.Parse(time.RFC3339) takes it; nothing when
/// unreadable. Before 1677 and after 2262 it is the nearest time that the clock has.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_time(
    std::string_view text);

/// A Go duration ("1m30s", "500ms", "-10s"), as time.ParseDuration takes it; nothing when
/// unreadable or out of range. May be zero or negative: whoever calls decides about that.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// metav1.Status of a failure.
struct Status {
    int code = 500;
    std::string reason{};  ///< metav1.StatusReason: "BadRequest"
    std::string message{};
    std::optional<int> retry_after_seconds{};
    struct Cause {
        std::string reason{};
        std::string message{};
        std::string field{};
        friend bool operator==(const Cause&, const Cause&) = default;
    };
    std::vector<Cause> causes{};
    friend bool operator==(const Status&, const Status&) = default;
};

/// kind: Status, status: Failure as JSON text. Empty texts are left out, details when empty too.
[[nodiscard]] std::string to_json(const Status& status);

/// A metav1.Status; nothing when `object` is of another kind. Fields that are mistyped are as
/// absent: it is an answer to us, and not one that we could refuse.
[[nodiscard]] std::optional<Status> read_status(json::Value object);

/// The HTTP status and the reason that metav1 has for an error. What we cancelled ourselves is an
/// InternalError to the caller.
[[nodiscard]] Status status_of(const Error& error);

}  // namespace smw::kube
