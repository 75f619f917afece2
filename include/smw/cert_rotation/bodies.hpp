#pragma once
// What is sent to the API server, as JSON. Each body of a change carries uid and resourceVersion of
// what was judged: whoever was overtaken gets 409 Conflict, and looks again.

#include "smw/base/clock.hpp"
#include "smw/cert_rotation/world.hpp"
#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::cert_rotation {

/// What a Secret is to become; keys and annotations that are not named stay as they are.
struct SecretChange {
    std::vector<std::pair<std::string, std::string>> data;  ///< not encoded
    /// Without kAnnotationPrefix; nothing removes one.
    std::vector<std::pair<std::string, std::optional<std::string>>> annotations;
};

inline constexpr std::string_view kOpaque = "Opaque";
inline constexpr std::string_view kTlsSecret = "kubernetes.io/tls";

/// For POST.
[[nodiscard]] json::Text create_secret(const kube::ObjectKey& key, std::string_view type,
                                       const SecretChange& change);
/// A merge patch (RFC 7386).
[[nodiscard]] json::Text patch_secret(const Seen& seen, const SecretChange& change);
/// For server-side apply: all our entries with the same bundle, and nothing else.
[[nodiscard]] json::Text apply_bundle(const WebhookConfiguration& configuration,
                                      std::string_view bundle_pem);

/// How a rotation is asked for before its time, by a merge patch of the CA's Secret. An empty
/// `compromised` is none.
struct RotationRequest {
    WallTime at;
    std::string compromised;
};
[[nodiscard]] json::Text request_rotation(const RotationRequest& request);

/// A core/v1 Event. `involved.namespace_` is where the Event lives, also when it is about an object
/// of the cluster: validation wants the two namespaces to be the same.
struct EventRecord {
    kube::Resource resource;
    kube::ObjectKey involved;
    std::string uid;
    bool is_warning = false;
    std::string reason;
    std::string message;
    WallTime at;
    std::string host;  ///< the Pod that says it
};
[[nodiscard]] json::Text create_event(const EventRecord& event);

}  // namespace smw::cert_rotation
