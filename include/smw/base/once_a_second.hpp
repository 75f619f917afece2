#pragma once
// For what happens often and must not flood the log.

#include "smw/base/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace smw {

/// Lets one through, then none for a second. Thread-safe.
class OnceASecond {
public:
    /// Whether the caller is the one; what it does then is not repeated by others.
    [[nodiscard]] bool pass(TimePoint now = std::chrono::steady_clock::now()) {
        using std::chrono::nanoseconds;
        const std::int64_t at = nanoseconds{now.time_since_epoch()}.count();
        std::int64_t next = next_.load(std::memory_order_relaxed);
        return at >= next &&
               next_.compare_exchange_strong(next, at + kSecond, std::memory_order_relaxed);
    }

private:
    static constexpr std::int64_t kSecond = 1'000'000'000;
    std::atomic<std::int64_t> next_{0};  ///< steady nanoseconds
};

}  // namespace smw
