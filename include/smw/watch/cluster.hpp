#pragma once
// Caches filled from an API server by list and watch: a Reflector for each, and the I/O that it
// asks for. The counterpart of Manifests.

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/client/api_client.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/watch/cache.hpp"
#include "smw/watch/reflector.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smw::watch {

class CacheFeeds;

/// The tasks run on one thread, that of the ApiClient. The destructor only after they have ended.
class Cluster {
public:
    /// All of it outlives the Cluster.
    struct Parts {
        client::ApiClient& api;
        std::vector<Cache> caches;
        const Clock& clock;
        log::Logger logger;
        metrics::Registry& metrics;
        Duration max_staleness = std::chrono::minutes{10};
        ReflectorSettings reflector;
        std::uint64_t seed = 0;  ///< of jitter and of watch timeouts
    };
    explicit Cluster(Parts parts);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// To be spawned, each once: one for each cache and namespace. They run until cancelled, then
    /// throw operation_aborted. They set the latches of the caches when all of a resource is known,
    /// or known to be absent.
    [[nodiscard]] std::vector<std::function<Task<void>()>> tasks();

    /// Of the cache with that label, for `/readyz?verbose`: what keeps it from following the API
    /// server, or that it is stale; nothing when all is well. Any thread.
    [[nodiscard]] std::optional<std::string> problem(const std::string& label) const;

private:
    Parts parts_;
    std::vector<std::unique_ptr<CacheFeeds>> caches_;
};

}  // namespace smw::watch
