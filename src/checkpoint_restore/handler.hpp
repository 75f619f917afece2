#pragma once
// The admission::Handler of this system: classify, read the store, ask for the Job when it matters,
// answer. Called on every shard at once.

#include "checkpoint_restore/backup_index.hpp"
#include "checkpoint_restore/decide.hpp"
#include "checkpoint_restore/explain.hpp"
#include "checkpoint_restore/job.hpp"
#include "smw/admission/handler.hpp"
#include "smw/async/latch.hpp"
#include "smw/base/log.hpp"
#include "smw/watch/store.hpp"

#include <optional>
#include <vector>

namespace smw::checkpoint_restore {

using BackupStore = watch::Store<CheckpointBackup, BackupIndex>;

inline constexpr std::string_view kSystemName = "checkpoint-restore";

/// What is asked of the store.
struct Lookup {
    const Pod& pod;
    const Owner& owner;
    const Settings& settings;
    bool explained = false;
};

/// What one read of the store says.
struct View {
    std::optional<Decision> decision;   ///< nothing: the Job's owner has to be asked for
    std::vector<Candidate> candidates;  ///< with Lookup::explained
};

/// decide() under the store's lock, and explain() when asked for: both see the same.
[[nodiscard]] View look(const BackupStore& backups, const Lookup& lookup);

class PodMutator final : public admission::Handler {
public:
    /// What it works with; all of it outlives the handler.
    struct Parts {
        const Settings& settings;
        const BackupStore& backups;
        async::Latch& backups_synced;
        JobLookup& jobs;
        log::Logger logger;  ///< named "pod-mutator"
    };
    explicit PodMutator(const Parts& parts) : parts_(parts) {}

    [[nodiscard]] std::string_view name() const override { return kSystemName; }
    [[nodiscard]] std::span<const std::string_view> reasons() const override { return kReasons; }
    Task<Expected<admission::Response>> handle(const admission::Request& request,
                                               Deadline deadline) override;

private:
    /// Of a Job's pod: waits for the state, and for the Job where it matters.
    Task<View> decide_by_state(const Pod& pod, Deadline deadline);

    Parts parts_;
};

/// Answers from the Jobs of --manifests, once they are read.
class ManifestJobs final : public JobLookup {
public:
    ManifestJobs(const JobStore& jobs, async::Latch& synced) : jobs_(jobs), synced_(synced) {}
    Task<Owner> owner_of(kube::ObjectKey job, std::string uid, Deadline deadline) override;

private:
    const JobStore& jobs_;
    async::Latch& synced_;
};

}  // namespace smw::checkpoint_restore
