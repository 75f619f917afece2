#include "smw/base/backoff.hpp"

#include <algorithm>

namespace smw {

Duration Backoff::next(TimePoint now) {
    if (now - asked_ > settings_.reset_after) {
        reset();
    }
    delay_ = delay_ == Duration::zero() ? settings_.first : std::min(delay_ * 2, settings_.most);
    std::uniform_real_distribution<double> share{0, settings_.jitter};
    const auto more = std::chrono::duration_cast<Duration>(delay_ * share(random_));
    asked_ = now + delay_ + more;
    return delay_ + more;
}

}  // namespace smw
