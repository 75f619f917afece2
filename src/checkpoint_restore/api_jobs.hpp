#pragma once
// The owner of a Job, asked of the API server: one GET of its metadata, bounded, shared by all
// reviews that ask the same, its answer kept. A slow or dead API server costs a review no more than
// the budget.

#include "checkpoint_restore/job.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/client/api_client.hpp"
#include "smw/metrics/registry.hpp"

#include <functional>
#include <memory>
#include <string>

namespace smw::checkpoint_restore {

/// owner_of() on many shards at once; the GET on the background loop.
class ApiJobs final : public JobLookup {
public:
    using Fetch =
        std::function<Task<client::Answered<json::Document>>(client::ApiRequest, Deadline)>;

    struct Parts {
        /// ApiClient::get; called on the background loop.
        Fetch fetch;
        /// system::Environment::spawn. What it runs may outlive this object, and uses `fetch`,
        /// `clock` and metrics only until it is cancelled.
        std::function<void(std::function<Task<void>()>)> spawn;
        Duration budget;
        const Clock& clock;
        log::Logger logger;  ///< named "jobs"
        metrics::Registry& metrics;
    };
    explicit ApiJobs(Parts parts);
    ~ApiJobs() override;

    Task<Owner> owner_of(kube::ObjectKey job, std::string uid, Deadline deadline) override;

private:
    struct State;
    struct Flight;
    struct Entry;
    class Landing;

    static Task<void> fly(std::shared_ptr<Landing> landing);

    /// Shared with the flights under way.
    std::shared_ptr<State> state_;
};

}  // namespace smw::checkpoint_restore
