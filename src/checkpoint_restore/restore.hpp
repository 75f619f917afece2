#pragma once
// What the backup that won says about a pod: which images change, and the patch that changes them.
// Pure.

#include "checkpoint_restore/decide.hpp"

namespace smw::checkpoint_restore {

/// Restored, AlreadyRestored, NoImageForContainers or PatchRefused.
[[nodiscard]] Decision restore(const Pod& pod, const BackupIndex::Pointer& backup,
                               const Settings& settings);

/// Why an image is not used, in words: "is not a valid image reference". Empty for None.
[[nodiscard]] std::string_view describe(Obstacle obstacle);

}  // namespace smw::checkpoint_restore
