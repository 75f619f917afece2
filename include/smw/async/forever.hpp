#pragma once
// A loop that keeps something fresh: whatever one round throws must not end it.

#include "smw/async/task.hpp"

#include <exception>
#include <functional>

namespace smw::async {

/// Awaits `round` again and again until cancelled, then throws operation_aborted. What a round
/// throws is a defect of ours, or no memory: `threw` hears of it, and the next one begins after a
/// pause.
Task<void> forever(std::function<Task<void>()> round,
                   std::function<void(const std::exception_ptr&)> threw);

}  // namespace smw::async
