#pragma once
// Time that stands still until a test turns it.

#include "smw/base/clock.hpp"

#include <atomic>

namespace smw::test {

/// Begins now, so that certificates made meanwhile are good. Thread-safe, as every Clock.
class TurnedClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override { return begin_ + Duration{turned_.load()}; }
    [[nodiscard]] WallTime wall() const override {
        return wall_begin_ +
               std::chrono::duration_cast<WallTime::duration>(Duration{turned_.load()});
    }
    void turn(Duration span) { turned_ += span.count(); }

private:
    const TimePoint begin_ = std::chrono::steady_clock::now();
    const WallTime wall_begin_ = std::chrono::system_clock::now();
    std::atomic<Duration::rep> turned_{0};
};

}  // namespace smw::test
