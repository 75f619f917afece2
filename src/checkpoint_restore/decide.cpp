#include "checkpoint_restore/decide.hpp"

#include "checkpoint_restore/restore.hpp"

#include <fmt/format.h>

namespace smw::checkpoint_restore {
namespace {

/// The best of what was seen so far. Keeps no list: a decision allocates only what it answers.
class Best {
public:
    Best(const Pod& pod, const Settings& settings) : pod_(pod), settings_(settings) {}

    void operator()(const BackupIndex::Pointer& backup, Match match) {
        const auto contender = make_contender(backup, match, pod_, settings_);
        if (best_.backup == nullptr || compare(contender, best_).better) {
            best_ = contender;
        }
    }

    [[nodiscard]] bool any() const { return best_.backup != nullptr; }
    [[nodiscard]] bool usable() const { return best_.usable; }
    [[nodiscard]] const BackupIndex::Pointer& backup() const { return *best_.backup; }

private:
    const Pod& pod_;
    const Settings& settings_;
    Contender best_;
};

bool is_unknown(const Owner& owner) {
    return owner.state == Owner::State::Unanswered || owner.state == Owner::State::Refused;
}

Decision settled(Reason reason) {
    Decision decision;
    decision.reason = reason;
    return decision;
}

Decision owner_unknown(const Pod& pod, const Owner& owner) {
    Decision decision = settled(Reason::OwnerUnknown);
    decision.undecided = owner.state == Owner::State::Unanswered ? admission::Undecided::Timeout
                                                                 : admission::Undecided::Error;
    decision.warnings.push_back(fmt::format(
        "checkpoint-restore: images left as they are, the owner of Job {} is unknown", pod.job));
    return decision;
}

Decision conclude(const Best& best, const Pod& pod, const Settings& settings) {
    return best.any() ? restore(pod, best.backup(), settings) : settled(Reason::NoCheckpointBackup);
}

}  // namespace

std::optional<Decision> decide(const Pod& pod, const BackupIndex& index, const Owner& owner,
                               const Settings& settings) {
    Best best{pod, settings};
    const auto consider = [&best](const BackupIndex::Pointer& backup, Match match) {
        best(backup, match);
    };
    visit_direct(index, pod, consider);
    // A direct match with a usable image wins over every other match, and without a backup of a
    // CronJob there is no other: then the Job's owner does not matter.
    const bool owner_matters = settings.cronjob_match != CronJobMatch::Name && !best.usable() &&
                               index.has_cronjob_candidate(pod.namespace_);
    if (owner_matters) {
        if (owner.state == Owner::State::NotAsked) {
            return std::nullopt;
        }
        if (job_is_gone(pod, owner)) {
            return settled(Reason::JobGone);
        }
    }
    const auto search = cronjob_search(pod, owner, settings.cronjob_match);
    if (owner_matters && is_unknown(owner) && matching_prefix(index, pod, search).empty() &&
        !index.cronjob_prefix(pod.namespace_, pod.job).empty()) {
        return owner_unknown(pod, owner);
    }
    visit_cronjobs(index, pod, search, consider);
    return conclude(best, pod, settings);
}

}  // namespace smw::checkpoint_restore
