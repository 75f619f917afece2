#pragma once
// Structured concurrency: whoever starts tasks owns a TaskGroup, as its last member, and waits for
// them before it goes. Nothing is spawned detached.

#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace smw::async {

/// Lives on one executor with one thread: every call comes from that thread.
class TaskGroup {
public:
    /// `on_exception` hears of tasks that ended with an exception other than cancellation.
    TaskGroup(boost::asio::any_io_executor executor,
              std::function<void(std::exception_ptr)> on_exception);
    /// All tasks must have ended: join() first.
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task` on the group's executor. After cancel() a task is not begun.
    void spawn(Task<void> task);
    /// Asks every task to end: its pending wait throws operation_aborted.
    void cancel();
    /// Whether all tasks had ended by `deadline`.
    Task<bool> join(Deadline deadline);
    [[nodiscard]] std::size_t size() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace smw::async
