#pragma once
// Why the others lost: for `review` and the debug log. Ranks with the code of decide(), so the two
// cannot differ. Pure; allocates freely.

#include "checkpoint_restore/decide.hpp"
#include "smw/checkpoint_restore/offline.hpp"

#include <vector>

namespace smw::checkpoint_restore {

/// All that match, best first, then CronJob backups whose name fits but does not count. Arguments
/// as decide() had them, in the same read of the store.
[[nodiscard]] std::vector<Candidate> explain(const Pod& pod, const BackupIndex& index,
                                             const Owner& owner, const Settings& settings);

}  // namespace smw::checkpoint_restore
