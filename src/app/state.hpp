#pragma once
// Where the caches of the systems are filled from: a folder of manifests, or an API server. The
// rest of the server does not care which.

#include "app/health.hpp"
#include "smw/app/serve.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/client/api_client.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/watch/cache.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smw::app {

/// Its tasks run on the background loop. The destructor only after they have ended.
class State {
public:
    /// All of it outlives the State.
    struct Parts {
        const ServeSettings& settings;
        client::ApiClient* api = nullptr;  ///< null: files
        std::vector<watch::Cache> caches;
        const Clock& clock;
        log::Logger logger;
        metrics::Registry& metrics;
    };

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;

    /// To be spawned once each; they run until cancelled.
    [[nodiscard]] virtual std::vector<std::function<Task<void>()>> tasks() = 0;
    /// What keeps the cache of that label from being filled or followed; nothing when all is well,
    /// or when it has no trouble of its own. Any thread.
    [[nodiscard]] virtual std::optional<std::string> problem(const std::string& label) const = 0;
    /// Further lines of /readyz?verbose, none of which is a reason for 503.
    [[nodiscard]] virtual std::vector<Check> checks() = 0;
};

/// Which API server it is and how that was found, and never a secret.
void announce(const client::ClusterConfig& cluster, const log::Logger& logger);

[[nodiscard]] std::unique_ptr<State> make_state(State::Parts parts);

}  // namespace smw::app
