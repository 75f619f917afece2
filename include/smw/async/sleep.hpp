#pragma once

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"

namespace smw::async {

/// Waits on the calling coroutine's executor. Throws operation_aborted when cancelled.
Task<void> sleep(Duration span);

/// Throws operation_aborted when the calling coroutine was asked to end: then what it caught before
/// is no defect.
Task<void> throw_if_cancelled();

}  // namespace smw::async
