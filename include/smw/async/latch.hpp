#pragma once
// A door that opens once. Set on any thread, awaited on any shard.

#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"

#include <atomic>
#include <memory>

namespace smw::async {

/// Outlives those who wait for it, and the call that sets it.
class Latch {
public:
    Latch();
    ~Latch();
    Latch(const Latch&) = delete;
    Latch& operator=(const Latch&) = delete;

    void set();
    [[nodiscard]] bool is_set() const { return set_.load(std::memory_order_acquire); }

    /// Whether it was set by `deadline`.
    Task<bool> wait(Deadline deadline);

private:
    struct Waiters;
    std::atomic<bool> set_{false};
    std::unique_ptr<Waiters> waiters_;
};

}  // namespace smw::async
