#pragma once
// A system: one folder that does one job (checkpoint_restore, node_cleanup). It publishes a factory
// that returns a System; app/ iterates over the list of factories and knows nothing else of it.

#include "smw/admission/handler.hpp"
#include "smw/base/log.hpp"
#include "smw/base/option.hpp"
#include "smw/client/api_client.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/watch/cache.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace smw::system {

/// What a system gets from the process. References outlive the system.
struct Environment {
    log::Logger logger;
    metrics::Registry& metrics;
    const Clock& clock;
    /// Null: state comes from files. Belongs to the background loop.
    client::ApiClient* api = nullptr;
    /// Makes and runs a task on the background loop; it is cancelled, and has ended, before the
    /// system is destroyed. Any thread.
    std::function<void(std::function<Task<void>()>)> spawn{};
};

struct Route {
    std::string path;  ///< "/mutate-v1-pod"
    admission::Handler* handler = nullptr;
};

/// Made before the configuration is read, so that its options are known; start() is called once
/// after that and before anything else.
class System {
public:
    System() = default;
    System(const System&) = delete;
    System& operator=(const System&) = delete;
    virtual ~System() = default;

    /// As in --enable, and the `webhook` label of metrics.
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Rows that set this system's own settings.
    [[nodiscard]] virtual Options options() = 0;
    virtual void start(const Environment& environment) = 0;
    [[nodiscard]] virtual std::vector<Route> routes() = 0;
    [[nodiscard]] virtual std::vector<watch::Cache> caches() = 0;
};

using Factory = std::unique_ptr<System> (*)();

}  // namespace smw::system
