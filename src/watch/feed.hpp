#pragma once
// A Reflector and the I/O that it asks for.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/watch/cluster.hpp"
#include "watch/condition_log.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace smw::watch {

/// One resource, in one namespace or in all. One thread, except where said.
class Feed {
public:
    struct Parts {
        const Cluster::Parts& cluster;
        const Cache& cache;
        std::string namespace_;  ///< empty: all
        std::uint64_t seed = 0;
        ConditionLog::LastWarning& last_warning;
        /// Something may have changed, for metrics and the latch.
        std::function<void()> on_step;
    };
    explicit Feed(Parts parts);

    /// Until cancelled; then it throws operation_aborted.
    Task<void> run();

    [[nodiscard]] const Condition& condition() const { return reflector_.condition(); }
    /// When something was last heard. The epoch: never.
    [[nodiscard]] WallTime heard() const { return heard_; }
    [[nodiscard]] const std::string& namespace_() const { return parts_.namespace_; }
    /// What keeps it from following, or that it is stale. Any thread.
    [[nodiscard]] std::optional<std::string> problem() const;

private:
    /// What other threads are shown, swapped whole.
    struct Shown {
        Absence absence = Absence::None;
        std::string problem;
        friend bool operator==(const Shown&, const Shown&) = default;
    };

    Task<void> step();
    Task<void> list(GetPage page);
    Task<void> open(OpenWatch watch);
    Task<void> read(ReadLine line);
    Task<void> pause(Pause pause);
    void failed(const client::Failure& failure);
    void threw(const std::exception_ptr& thrown);
    [[nodiscard]] client::ApiRequest request(std::string verb) const;
    [[nodiscard]] TimePoint now() const { return parts_.cluster.clock.now(); }
    /// For so long nothing was heard, when it is too long.
    [[nodiscard]] std::optional<Duration> stale(TimePoint now) const;
    void show();

    Parts parts_;
    Reflector reflector_;
    std::unique_ptr<client::WatchStream> stream_;
    ConditionLog log_;
    bool refused_ = false;  ///< the last answer was one of rights
    WallTime heard_{};
    std::atomic<TimePoint> heard_steady_;  ///< the start when nothing was heard yet
    async::Snapshot<Shown> shown_;
};

}  // namespace smw::watch
