#include "smw/checkpoint_restore/system.hpp"

#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/resources.hpp"
#include "checkpoint_restore/settings.hpp"
#include "smw/async/latch.hpp"

#include <optional>

namespace smw::checkpoint_restore {
namespace {

class CheckpointRestore final : public system::System {
public:
    [[nodiscard]] std::string_view name() const override { return kSystemName; }

    [[nodiscard]] Options options() override { return options_of(settings_); }

    void start(const system::Environment& environment) override {
        backups_.emplace(project_backups(environment.logger.named("checkpoint-restore")));
        jobs_.emplace(read_job);
        lookup_.emplace(*jobs_, jobs_synced_);
        const PodMutator::Parts parts{settings_, *backups_, backups_synced_, *lookup_,
                                      environment.logger.named("pod-mutator")};
        handler_.emplace(parts);
    }

    [[nodiscard]] std::vector<system::Route> routes() override {
        return {{"/mutate-v1-pod", &*handler_}};
    }

    [[nodiscard]] std::vector<watch::Cache> caches() override {
        watch::Cache backups;
        backups.resource = checkpoint_backups();
        backups.sink = &*backups_;
        backups.synced = &backups_synced_;
        backups.objects = [this] {
            return backups_->size();
        };
        watch::Cache jobs;
        jobs.resource = batch_jobs();
        jobs.sink = &*jobs_;
        jobs.synced = &jobs_synced_;
        jobs.objects = [this] {
            return jobs_->size();
        };
        return {backups, jobs};
    }

private:
    Settings settings_;
    async::Latch backups_synced_;
    async::Latch jobs_synced_;
    // Made by start(), when there is a logger.
    std::optional<BackupStore> backups_;
    std::optional<JobStore> jobs_;
    std::optional<ManifestJobs> lookup_;
    std::optional<PodMutator> handler_;
};

}  // namespace

std::unique_ptr<system::System> make_system() {
    return std::make_unique<CheckpointRestore>();
}

}  // namespace smw::checkpoint_restore
