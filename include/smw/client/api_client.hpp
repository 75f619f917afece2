#pragma once
// Requests to a Kubernetes API server: paths, credentials, Status errors, watch streams.

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/deadline.hpp"
#include "smw/base/error.hpp"
#include "smw/base/log.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::client {

/// What is read or written, in the words of RBAC.
struct ApiRequest {
    std::string verb;  ///< "get", "list", "watch"; "create", "update", "patch", "delete"
    kube::Resource resource;
    std::string namespace_;  ///< empty: all
    std::string name;        ///< empty: the collection
    /// Encoded by the client.
    std::vector<std::pair<std::string, std::string>> query;
    bool metadata_only = false;  ///< as=PartialObjectMetadata(List)
};

inline constexpr std::string_view kMergePatch = "application/merge-patch+json";
/// Server-side apply. JSON is YAML.
inline constexpr std::string_view kApplyPatch = "application/apply-patch+yaml";

/// A request that changes something. It may be sent twice: a pooled connection that turns out to be
/// dead is replaced. So a create may be answered 409 AlreadyExists for what it has made itself.
struct ApiWrite {
    ApiRequest request;  ///< its query has fieldManager, force
    json::Text body;     ///< of a "delete" options, or empty
    std::string content_type = "application/json";
};

/// A request that gave no object.
struct Failure {
    /// Says verb, resource and reason: "listing checkpointbackups.migration.dcnlab.com: ...".
    Error error;
    /// What the API server said; code 0: it said nothing. Without a Status in the body, made of the
    /// HTTP status and headers.
    kube::Status status;

    /// Whether it was the API server itself that said so: what stands on the way to it, a load
    /// balancer without a backend, answers 404 or 403, too, but not with a Status.
    [[nodiscard]] bool is_said_by_api_server() const;
    /// Whether it is a 404 that an API server says of what it does not have: a Status, or the plain
    /// text "404 page not found" of a group that is not installed. An HTML page or an empty body is
    /// that of somebody on the way.
    [[nodiscard]] bool may_mean_absent() const;
};

template <class T>
using Answered = tl::expected<T, Failure>;

/// The lines of a watch.
class WatchStream {
public:
    WatchStream() = default;
    WatchStream(const WatchStream&) = delete;
    WatchStream& operator=(const WatchStream&) = delete;
    virtual ~WatchStream() = default;

    /// The next line without its end, with json::Document::kPadding to spare; nothing when the
    /// server has closed the watch in good order. Blank lines are passed over. An error ends the
    /// stream: DeadlineExceeded, Unavailable, TooLarge (a line of more than 4 MiB).
    virtual Task<Answered<std::optional<std::string>>> line(Deadline deadline) = 0;
};

/// Used from one executor's thread only, where its coroutines run. Credentials that come from files
/// are read again as protocol and client-go have it: a token each minute, CA and client certificate
/// every five; after a 401 the token is read again and the request sent once more.
class ApiClient {
public:
    /// `clock` outlives the client.
    ApiClient(ClusterConfig config, const Clock& clock, log::Logger logger);
    ~ApiClient();
    ApiClient(const ApiClient&) = delete;
    ApiClient& operator=(const ApiClient&) = delete;

    /// One object, or one page of a list. Without asking BadRequest for names that are none: "."
    /// and ".." of object and namespace, none of an object to get.
    Task<Answered<json::Document>> get(ApiRequest request, Deadline deadline);
    /// The object as it is now; of a "delete" the object or a Status. Without asking BadRequest for
    /// what cannot be meant: a "create" with a name, another verb without one, no body. The body is
    /// never part of an error, nor is what may repeat it: what an answer that is no Status says,
    /// and of a Secret the value that the API server refuses.
    Task<Answered<json::Document>> write(ApiWrite write, Deadline deadline);
    /// `deadline` is for the head of the answer. Adds watch=1 to the query.
    Task<Answered<std::unique_ptr<WatchStream>>> watch(ApiRequest request, Deadline deadline);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace smw::client
