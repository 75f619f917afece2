#pragma once

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"

namespace smw::async {

/// Waits on the calling coroutine's executor. Throws operation_aborted when cancelled.
Task<void> sleep(Duration span);

}  // namespace smw::async
