#pragma once
// Bytes of bodies in memory, against a cap: a pod killed for memory fails every admission at once.

#include <atomic>
#include <cstddef>

namespace smw::http {

/// Thread-safe.
class ByteBudget {
public:
    explicit ByteBudget(std::size_t cap) : cap_(cap) {}

    /// One body always fits, however large: `held` is what the caller has reserved already. Who
    /// grows leaves a sixteenth to those who begin, so that long bodies that come slowly, or not at
    /// all, do not shut short ones out.
    [[nodiscard]] bool reserve(std::size_t bytes, std::size_t held = 0) {
        const std::size_t cap = held == 0 ? cap_ : growth_cap();
        std::size_t used = used_.load(std::memory_order_relaxed);
        do {
            const bool alone = used == held;
            if (!alone && used + bytes > cap) {
                return false;
            }
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    /// Whether one of `bytes` would fit that begins now and grows. Reserves nothing.
    [[nodiscard]] bool has_room_for(std::size_t bytes) const {
        const std::size_t all = used();
        return all == 0 || all + bytes <= growth_cap();
    }
    void release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] std::size_t growth_cap() const { return cap_ - cap_ / 16; }

    const std::size_t cap_;
    std::atomic<std::size_t> used_{0};
};

}  // namespace smw::http
