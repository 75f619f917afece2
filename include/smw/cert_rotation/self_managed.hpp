#pragma once
// Certificates that this process makes itself: each replica serves what the Secret says, and the
// one that holds the Lease writes what is due (specification: rotation nobody notices).

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/deadline.hpp"
#include "smw/base/log.hpp"
#include "smw/cert_rotation/rotation.hpp"
#include "smw/client/api_client.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/serving.hpp"
#include "smw/watch/cache.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smw::cert_rotation {

/// Of one replica. Its tasks, and what fills its caches, run on the background loop; the destructor
/// only after they have ended.
class SelfManaged {
public:
    /// The references outlive it.
    struct Parts {
        Settings rotation;
        ServiceName service;
        std::vector<std::string> configurations;  ///< names, of both kinds
        tls::ServerSettings server;
        std::string identity;  ///< of this process, in Lease and Events
        client::ApiClient& api;
        const Clock& clock;
        log::Logger logger;
        metrics::Registry& metrics;
    };
    explicit SelfManaged(Parts parts);
    ~SelfManaged();
    SelfManaged(const SelfManaged&) = delete;
    SelfManaged& operator=(const SelfManaged&) = delete;

    /// To be filled from the API server; they view this object.
    [[nodiscard]] std::vector<watch::Cache> caches();
    /// To be spawned once each; they run until cancelled.
    [[nodiscard]] std::vector<std::function<Task<void>()>> tasks();
    /// After they have ended: frees the Lease, so that another replica need not wait for its end.
    Task<void> release(Deadline deadline);

    /// What is served. Any thread.
    [[nodiscard]] const tls::Serving& serving() const;
    /// What keeps certificates from being looked after, and what to do about it; nothing when all
    /// is well, or when another replica does it. Any thread.
    [[nodiscard]] std::optional<std::string> problem() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace smw::cert_rotation
