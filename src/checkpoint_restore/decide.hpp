#pragma once
// The second half of a decision: what the state says about a Job's pod. Pure; called under the
// store's lock, so it does not wait, log or explain.

#include "checkpoint_restore/backup_index.hpp"
#include "checkpoint_restore/classify.hpp"
#include "checkpoint_restore/job.hpp"
#include "checkpoint_restore/matching.hpp"
#include "checkpoint_restore/reason.hpp"
#include "checkpoint_restore/settings.hpp"
#include "smw/admission/json_patch.hpp"
#include "smw/admission/review.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::checkpoint_restore {

/// Views into the request's document and into the backup that decided.
struct ImageChange {
    std::string_view container;
    std::string_view original;  ///< empty when the pod names none
    std::string_view image;
    friend bool operator==(const ImageChange&, const ImageChange&) = default;
};

struct Decision {
    Reason reason = Reason::NoCheckpointBackup;
    /// The backup that decided; with NoImageForContainers the first of the ranking. Else null.
    BackupIndex::Pointer backup;
    std::vector<ImageChange> changes;
    admission::JsonPatch patch;
    std::vector<std::string> warnings;
    admission::Undecided undecided = admission::Undecided::No;
};

/// Nothing when the owner of the pod's Job has to be asked for first: then call again with the
/// answer. `pod` belongs to a Job.
[[nodiscard]] std::optional<Decision> decide(const Pod& pod, const BackupIndex& index,
                                             const Owner& owner, const Settings& settings);

}  // namespace smw::checkpoint_restore
