#pragma once
// The core system: a Job's pod gets the checkpoint images of its CheckpointBackup at admission.

#include "smw/system/system.hpp"

#include <memory>

namespace smw::checkpoint_restore {

/// name(): "checkpoint-restore"; one route, /mutate-v1-pod; the caches checkpointbackups and jobs
/// (files only). A system::Factory.
[[nodiscard]] std::unique_ptr<system::System> make_system();

}  // namespace smw::checkpoint_restore
