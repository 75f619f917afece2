#pragma once
// /livez, /readyz, /startupz and /metrics, on the background loop: they answer while shards are
// busy.

#include "smw/async/shards.hpp"
#include "smw/async/task.hpp"
#include "smw/http/service.hpp"
#include "smw/metrics/registry.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smw::app {

/// One line of ?verbose. `problem` may be called on any thread.
struct Check {
    std::string name;
    std::function<std::optional<std::string>()> problem;
    bool required = true;  ///< false: told, but never a reason for 503
};

/// The sum of checks, as kube-apiserver prints it: [+] ok, [-] failed with the reason, [!] told.
class CheckService final : public http::Service {
public:
    explicit CheckService(std::string name, std::vector<Check> checks)
        : name_(std::move(name)), checks_(std::move(checks)) {}

    Task<http::Response> serve(http::Exchange& exchange) override;

private:
    std::string name_;
    std::vector<Check> checks_;
};

class MetricsService final : public http::Service {
public:
    explicit MetricsService(const metrics::Registry& registry) : registry_(registry) {}

    Task<http::Response> serve(http::Exchange& exchange) override;

private:
    const metrics::Registry& registry_;
};

/// Whether event loops turn: each is asked once a second to note the time.
class Heartbeat {
public:
    /// The loops outlive the heartbeat's last beat.
    explicit Heartbeat(std::vector<async::Shard*> loops);

    /// Asks every second, until cancelled.
    Task<void> run();
    /// Names the loops that have not answered for 10 s.
    [[nodiscard]] std::optional<std::string> problem() const;

private:
    struct Loop {
        async::Shard* shard = nullptr;
        std::shared_ptr<std::atomic<std::int64_t>> last_beat;  ///< steady seconds
    };
    std::vector<Loop> loops_;
};

}  // namespace smw::app
