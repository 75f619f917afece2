#pragma once
// Which CheckpointBackups match a pod, and which of them is the better one. The same code serves
// decide(), which keeps the best, and explain(), which lists them all. Pure.

#include "checkpoint_restore/backup_index.hpp"
#include "checkpoint_restore/classify.hpp"
#include "checkpoint_restore/job.hpp"
#include "checkpoint_restore/settings.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace smw::checkpoint_restore {

/// How a backup came to match, the surest first.
enum class Match : std::uint8_t { Direct, Owner, Name };

[[nodiscard]] std::string_view to_string(Match match);

/// Why an image is not used.
enum class Obstacle : std::uint8_t { None, NotAReference, NotPushed };

[[nodiscard]] Obstacle obstacle(const BackupImage& image, const Settings& settings);

/// What a backup has for one container of the pod.
struct ImageChoice {
    std::optional<BackupImage> usable;       ///< the first that can be used
    std::optional<BackupImage> passed_over;  ///< the first, when that one cannot
};
[[nodiscard]] ImageChoice choose_image(const CheckpointBackup& backup, std::string_view container,
                                       const Settings& settings);

/// Views a backup that the index holds.
struct Contender {
    const BackupIndex::Pointer* backup = nullptr;
    Match match = Match::Direct;
    bool usable = false;  ///< has a usable image for at least one container of the pod
};

[[nodiscard]] Contender make_contender(const BackupIndex::Pointer& backup, Match match,
                                       const Pod& pod, const Settings& settings);

/// The first difference between two contenders, in the order of the contract.
enum class Difference : std::uint8_t { Usable, Match, LastCheckpointTime, CreationTime, Name };
struct Comparison {
    bool better = false;  ///< the left one
    Difference difference = Difference::Name;
};
[[nodiscard]] Comparison compare(const Contender& left, const Contender& right);

/// How CronJob backups are to be looked for, given what is known of the Job's owner.
struct CronJobSearch {
    std::string_view by_owner;      ///< name of the CronJob; empty: not by owner
    bool by_name = false;           ///< the longest prefix of the Job's name
    bool only_digits_rest = false;  ///< by name only if the CronJob controller made that name
};
[[nodiscard]] CronJobSearch cronjob_search(const Pod& pod, const Owner& owner, CronJobMatch mode);

/// The Job that the pod names is not there any more; another one may have its name.
[[nodiscard]] bool job_is_gone(const Pod& pod, const Owner& owner);

/// `visit(const BackupIndex::Pointer&, Match)` for every backup of that search.
template <class Visit>
void visit_direct(const BackupIndex& index, const Pod& pod, Visit visit) {
    const ResourceKey key{pod.namespace_, ResourceKind::Job, pod.job};
    for (const auto& backup : index.referring_to(key)) {
        visit(backup, Match::Direct);
    }
}

/// The CronJob name that matches the Job by name, empty when none does. Only the longest one
/// counts: `a-b-1234` belongs to `a-b`, never to `a`.
[[nodiscard]] std::string_view matching_prefix(const BackupIndex& index, const Pod& pod,
                                               const CronJobSearch& search);

template <class Visit>
void visit_cronjobs(const BackupIndex& index, const Pod& pod, const CronJobSearch& search,
                    Visit visit) {
    const auto by_name = matching_prefix(index, pod, search);
    const auto name = search.by_owner.empty() ? by_name : search.by_owner;
    if (name.empty()) {
        return;
    }
    const ResourceKey key{pod.namespace_, ResourceKind::CronJob, name};
    for (const auto& backup : index.referring_to(key)) {
        visit(backup, search.by_owner.empty() ? Match::Name : Match::Owner);
    }
}

}  // namespace smw::checkpoint_restore
