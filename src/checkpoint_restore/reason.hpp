#pragma once
// Why a review was answered as it was: the closed set that labels the metric, the log, the audit
// annotation and `review`.

#include <array>
#include <cstddef>
#include <string_view>

namespace smw::checkpoint_restore {

enum class Reason {
    Restored,              ///< at least one op
    AlreadyRestored,       ///< a backup decided, every usable image stands there already
    NoImageForContainers,  ///< backups match, none has a usable image for this pod
    NoCheckpointBackup,
    NotApplicable,
    NotFromJob,
    SkippedByAnnotation,
    SelfTest,
    JobGone,
    OwnerUnknown,
    CacheNotSynced,
    PatchRefused,
};

/// In the order of Reason.
inline constexpr std::array<std::string_view, 12> kReasons = {
    "restored",       "already-restored", "no-image-for-containers", "no-checkpoint-backup",
    "not-applicable", "not-from-job",     "skipped-by-annotation",   "self-test",
    "job-gone",       "owner-unknown",    "cache-not-synced",        "patch-refused",
};
static_assert(kReasons.size() == static_cast<std::size_t>(Reason::PatchRefused) + 1);

[[nodiscard]] constexpr std::string_view to_string(Reason reason) {
    return kReasons[static_cast<std::size_t>(reason)];
}

}  // namespace smw::checkpoint_restore
