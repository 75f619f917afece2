#pragma once
// The moment by which work must have ended. Made once a request, passed down by value.

#include "smw/base/clock.hpp"

#include <algorithm>
#include <compare>

namespace smw {

class Deadline {
public:
    static constexpr Deadline never() { return Deadline{TimePoint::max()}; }
    static constexpr Deadline at(TimePoint when) { return Deadline{when}; }
    static Deadline after(Duration span) {
        return Deadline{std::chrono::steady_clock::now() + span};
    }

    [[nodiscard]] constexpr TimePoint when() const { return when_; }
    [[nodiscard]] constexpr bool is_never() const { return when_ == TimePoint::max(); }
    [[nodiscard]] constexpr bool passed(TimePoint now) const { return when_ <= now; }
    /// Never negative.
    [[nodiscard]] constexpr Duration remaining(TimePoint now) const {
        return passed(now) ? Duration::zero() : when_ - now;
    }
    [[nodiscard]] constexpr Deadline nearer(Deadline other) const {
        return Deadline{std::min(when_, other.when_)};
    }

    friend constexpr auto operator<=>(const Deadline&, const Deadline&) = default;

private:
    explicit constexpr Deadline(TimePoint when) : when_(when) {}

    TimePoint when_;
};

}  // namespace smw
