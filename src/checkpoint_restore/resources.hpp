#pragma once
// The kinds of objects that this system reads.

#include "checkpoint_restore/handler.hpp"
#include "smw/base/log.hpp"
#include "smw/watch/sink.hpp"

namespace smw::checkpoint_restore {

/// CheckpointBackups; other versions than v1 are not ours.
[[nodiscard]] watch::Resource checkpoint_backups();
[[nodiscard]] watch::Resource batch_jobs();

/// read_checkpoint_backup(), saying in the log what it passed over.
[[nodiscard]] BackupStore::Project project_backups(log::Logger logger);

}  // namespace smw::checkpoint_restore
