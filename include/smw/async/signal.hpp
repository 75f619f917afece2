#pragma once
// Something has changed: look again. For a loop that sleeps until its next date, or until somebody
// tells it that there is news.

#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"

#include <functional>

namespace smw::async {

/// One thread, one waiter. Outlives the wait.
class Signal {
public:
    Signal() = default;
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    /// Wakes the waiter, or who waits next.
    void raise();
    /// Whether it was raised since the last wait, by `deadline`. Throws operation_aborted when
    /// cancelled.
    Task<bool> wait(Deadline deadline);

private:
    bool raised_ = false;
    std::function<void()> wake_;  ///< empty: nobody waits
};

}  // namespace smw::async
