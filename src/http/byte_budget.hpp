#pragma once
// Bytes of bodies in memory, against a cap: a pod killed for memory fails every admission at once.

#include <atomic>
#include <cstddef>

namespace smw::http {

/// Thread-safe.
class ByteBudget {
public:
    explicit ByteBudget(std::size_t cap) : cap_(cap) {}

    /// One body always fits, however large: `held` is what the caller has reserved already.
    [[nodiscard]] bool reserve(std::size_t bytes, std::size_t held = 0) {
        std::size_t used = used_.load(std::memory_order_relaxed);
        do {
            const bool alone = used == held;
            if (!alone && used + bytes > cap_) {
                return false;
            }
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    void release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }

private:
    const std::size_t cap_;
    std::atomic<std::size_t> used_{0};
};

}  // namespace smw::http
