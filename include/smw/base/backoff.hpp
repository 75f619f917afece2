#pragma once
// How long to wait before trying again (client-go's wait.Backoff with a reset). Pure.

#include "smw/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <random>

namespace smw {

struct BackoffSettings {
    Duration first = std::chrono::milliseconds{800};
    Duration most = std::chrono::seconds{30};
    /// Of each delay up to as much again is added at random, so that a thousand clients that lost
    /// one server do not come back at once.
    double jitter = 1.0;
    /// Not asked for so long, it begins anew.
    Duration reset_after = std::chrono::seconds{120};
};

/// Doubles from `first` to `most`, before jitter. One thread.
class Backoff {
public:
    Backoff(BackoffSettings settings, std::uint64_t seed) : settings_(settings), random_(seed) {}

    /// The next delay.
    [[nodiscard]] Duration next(TimePoint now);
    void reset() { delay_ = Duration::zero(); }

private:
    BackoffSettings settings_;
    std::mt19937_64 random_;
    Duration delay_ = Duration::zero();  ///< the last one, without jitter; zero: none yet
    TimePoint asked_{};
};

}  // namespace smw
