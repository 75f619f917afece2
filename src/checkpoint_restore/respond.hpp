#pragma once
// Decision to Response. Pure.

#include "checkpoint_restore/decide.hpp"

namespace smw::checkpoint_restore {

/// What a request settles by itself: no patch.
[[nodiscard]] Decision settle(Reason reason, std::string_view nonce);

/// CheckpointBackups were not read by the deadline.
[[nodiscard]] Decision not_synced();

[[nodiscard]] admission::Response respond(const Decision& decision);

}  // namespace smw::checkpoint_restore
