#include "smw/checkpoint_restore/system.hpp"

#include "checkpoint_restore/api_jobs.hpp"
#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/resources.hpp"
#include "checkpoint_restore/settings.hpp"
#include "smw/async/latch.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace smw::checkpoint_restore {
namespace {

class CheckpointRestore final : public system::System {
public:
    [[nodiscard]] std::string_view name() const override { return kSystemName; }

    [[nodiscard]] Options options() override { return options_of(settings_); }

    void start(const system::Environment& environment) override {
        backups_.emplace(project_backups(environment.logger.named("checkpoint-restore")));
        if (environment.api != nullptr) {
            lookup_ = ask_api(environment);
        } else {
            jobs_.emplace(read_job);
            lookup_ = std::make_unique<ManifestJobs>(*jobs_, jobs_synced_);
        }
        const PodMutator::Parts parts{settings_, *backups_, backups_synced_, *lookup_,
                                      environment.logger.named("pod-mutator")};
        handler_.emplace(parts);
    }

    [[nodiscard]] std::vector<system::Route> routes() override {
        return {{"/mutate-v1-pod", &*handler_}};
    }

    [[nodiscard]] std::vector<watch::Cache> caches() override {
        std::vector<watch::Cache> caches{
            make_cache(checkpoint_backups(), *backups_, backups_synced_)};
        if (jobs_) {
            caches.push_back(make_cache(batch_jobs(), *jobs_, jobs_synced_));
        }
        return caches;
    }

private:
    [[nodiscard]] std::unique_ptr<JobLookup> ask_api(const system::Environment& environment) const {
        ApiJobs::Parts parts{
            [api = environment.api](client::ApiRequest request, Deadline deadline) {
                return api->get(std::move(request), deadline);
            },
            environment.spawn,
            settings_.api_lookup_budget,
            environment.clock,
            environment.logger.named("jobs"),
            environment.metrics};
        return std::make_unique<ApiJobs>(std::move(parts));
    }

    template <class Store>
    [[nodiscard]] watch::Cache make_cache(watch::Resource resource, Store& store,
                                          async::Latch& synced) const {
        watch::Cache cache;
        cache.resource = std::move(resource);
        cache.sink = &store;
        cache.synced = &synced;
        cache.objects = [&store] {
            return store.size();
        };
        cache.namespaces = settings_.namespaces;
        return cache;
    }

    Settings settings_;
    async::Latch backups_synced_;
    async::Latch jobs_synced_;
    // Made by start(), when there is a logger.
    std::optional<BackupStore> backups_;
    std::optional<JobStore> jobs_;  ///< of files only: Jobs are not watched
    std::unique_ptr<JobLookup> lookup_;
    std::optional<PodMutator> handler_;
};

}  // namespace

std::unique_ptr<system::System> make_system() {
    return std::make_unique<CheckpointRestore>();
}

}  // namespace smw::checkpoint_restore
