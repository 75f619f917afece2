#pragma once
// One replica's part in the race for a Lease: the I/O that a LeaderElector asks for, and what
// people are told of it.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/deadline.hpp"
#include "smw/base/log.hpp"
#include "smw/client/api_client.hpp"
#include "smw/coordination/leader_elector.hpp"
#include "smw/metrics/registry.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace smw::coordination {

/// Lives on the thread of the ApiClient, where its tasks run, and outlives them.
class Election {
public:
    /// All of it outlives the Election.
    struct Parts {
        client::ApiClient& api;
        const Clock& clock;
        log::Logger logger;
        metrics::Registry& metrics;
        std::string namespace_;
        std::string name;      ///< of the Lease, and the metric's label: one of a closed set
        std::string identity;  ///< of this process and no other, past or present
        /// Called by the tasks when is_leader() has changed. Not to destroy the Election.
        std::function<void()> on_change{};
        ElectionSettings settings{};
        std::uint64_t seed = 0;  ///< of jitter
    };
    explicit Election(Parts parts);
    ~Election();
    Election(const Election&) = delete;
    Election& operator=(const Election&) = delete;

    /// To be spawned, once. Runs until cancelled, then throws operation_aborted; what it holds it
    /// goes on holding until release(), or until nobody has renewed it.
    Task<void> run();
    /// After run() has ended: frees the Lease, if it is ours, so that another need not wait for its
    /// end. Tries once: what fails is logged.
    Task<void> release(Deadline deadline);

    /// By the clock: also when nothing runs any more. Any thread.
    [[nodiscard]] bool is_leader() const;
    /// For people: whom the Lease names; empty when nobody, or not known. Any thread.
    [[nodiscard]] std::string holder() const { return *holder_.load(); }

private:
    Task<void> step();
    /// What the elector says, and whether that is news.
    [[nodiscard]] Action next();
    Task<void> perform(Action action, Deadline deadline);
    /// What the API server answers to a GetLease, CreateLease or UpdateLease.
    Task<client::Answered<json::Document>> ask(Action action, Deadline deadline);
    [[nodiscard]] client::ApiRequest request(std::string verb) const;
    void answered(const Action& action, json::Value object);
    void failed(const client::Failure& failure);
    void threw(const std::exception_ptr& thrown);

    /// Who leads and who holds, to those who ask and to those who read logs.
    void tell();
    void tell_change(bool leads);
    void tell_holder();

    Parts parts_;
    LeaderElector elector_;
    metrics::Gauge gauge_;
    std::atomic<TimePoint> leading_until_{TimePoint::min()};
    async::Snapshot<std::string> holder_;
    bool told_leading_ = false;
    std::map<Code, TimePoint> told_problems_;
};

}  // namespace smw::coordination
