#include "smw/coordination/leader_elector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace smw::coordination {
namespace {

using std::chrono::seconds;

/// wait.JitterUntil of client-go: of those who wait, not of the holder.
constexpr double kJitter = 1.2;
/// Whatever a Lease says: so long without a renewal, its holder is gone.
constexpr seconds kLongest = std::chrono::hours{1};
/// LeaseLock.release of client-go, for those who look at the time only.
constexpr std::int64_t kReleasedSeconds = 1;
constexpr std::int64_t kMostTransitions = 2'147'483'647;  // int32

std::string in_words(Duration span) {
    return fmt::format("{:g} s", std::chrono::duration<double>{span}.count());
}

WallTime in_micros(WallTime wall) {
    return std::chrono::floor<std::chrono::microseconds>(wall);
}

}  // namespace

LeaderElector::LeaderElector(Parts parts) : parts_(std::move(parts)), random_(parts_.seed) {}

Action LeaderElector::next(TimePoint now, WallTime wall) {
    notice_expiry(now);
    if (now < rest_until_) {
        return Pause{leading_ ? std::min(rest_until_, leading_until_) : rest_until_};
    }
    asked_at_ = now;
    if (resigned_) {
        return resignation(wall);
    }
    switch (known_) {
        case Known::Nothing:
            asked_ = Asked::Get;
            return GetLease{};
        case Known::Absent:
            asked_ = Asked::Create;
            may_hold_ = true;
            return CreateLease{claim(wall)};
        case Known::Takeable:
            return update(claim(wall));
    }
    return GetLease{};
}

Action LeaderElector::resignation(WallTime wall) {
    if (!may_hold_) {
        return Pause{TimePoint::max()};
    }
    if (known_ == Known::Takeable && is_ours()) {
        return update(surrender(wall));
    }
    asked_ = Asked::Get;
    return GetLease{};
}

Action LeaderElector::update(LeaseRecord record) {
    asked_ = Asked::Update;
    may_hold_ = true;
    return UpdateLease{std::move(record), seen_->object};
}

TimePoint LeaderElector::answer_by() const {
    // Half of it: one that is not answered is asked again before all is lost.
    const TimePoint latest = asked_at_ + parts_.settings.renew_deadline / 2;
    return leading_ ? std::min(latest, leading_until_) : latest;
}

LeaseRecord LeaderElector::claim(WallTime wall) const {
    LeaseRecord record;
    record.holder_identity = parts_.identity;
    record.lease_duration_seconds =
        std::chrono::ceil<seconds>(parts_.settings.lease_duration).count();
    record.renew_time = in_micros(wall);
    record.acquire_time = record.renew_time;
    if (is_ours()) {
        record.acquire_time = seen_->record.acquire_time.value_or(in_micros(wall));
        record.lease_transitions = seen_->record.lease_transitions;
    } else if (seen_) {
        record.lease_transitions = std::min(seen_->record.lease_transitions + 1, kMostTransitions);
    }
    return record;
}

LeaseRecord LeaderElector::surrender(WallTime wall) const {
    LeaseRecord record;
    record.lease_duration_seconds = kReleasedSeconds;
    record.acquire_time = in_micros(wall);
    record.renew_time = record.acquire_time;
    record.lease_transitions = seen_->record.lease_transitions;
    return record;
}

void LeaderElector::got(Lease lease, TimePoint now) {
    observe(std::move(lease), now);
    if (!is_ours()) {
        not_ours(now);
        return;
    }
    may_hold_ = true;
    known_ = Known::Takeable;
}

void LeaderElector::written(Lease lease, TimePoint now) {
    observe(std::move(lease), now);
    if (!is_ours() || resigned_) {
        not_ours(now);
        rest(now);  // also when it looks free: what changes our writes would do so again
        return;
    }
    leading_ = true;
    // Others count from when they see it, and nobody sees it before it is asked for.
    leading_until_ = asked_at_ + parts_.settings.renew_deadline;
    known_ = Known::Takeable;
    conflict_ = false;
    problem_.clear();
    rest_until_ = now + parts_.settings.retry_period;
}

bool LeaderElector::failed(const client::Failure& failure, TimePoint now) {
    known_ = Known::Nothing;
    const bool outrun = failure.error.code == Code::Conflict;
    if (outrun && !std::exchange(conflict_, true)) {
        return false;  // look at once who it was
    }
    if (asked_ != Asked::Create && failure.may_mean_absent()) {
        absent();
        return false;
    }
    if (resigned_) {
        may_hold_ = false;
    }
    if (!outrun) {
        problem_ = failure.error.message;
    }
    rest(now);
    return !outrun;
}

void LeaderElector::resign() {
    resigned_ = true;
    conflict_ = false;
    rest_until_ = TimePoint::min();
    lose("it is given up");
}

std::string LeaderElector::holder() const {
    return seen_ ? seen_->record.holder_identity : std::string{};
}

void LeaderElector::observe(Lease lease, TimePoint now) {
    if (!seen_ || seen_->record != lease.record) {
        changed_at_ = now;
    }
    seen_ = std::move(lease);
}

bool LeaderElector::is_ours() const {
    return seen_ && seen_->record.holder_identity == parts_.identity;
}

bool LeaderElector::is_free(TimePoint now) const {
    const auto& record = seen_->record;
    if (record.holder_identity.empty()) {
        return true;
    }
    // Who does not say how long is believed as long as we would be.
    const Duration said = std::min(seconds{record.lease_duration_seconds}, kLongest);
    const Duration valid = said > Duration::zero() ? said : parts_.settings.lease_duration;
    return now - changed_at_ >= valid;
}

void LeaderElector::not_ours(TimePoint now) {
    may_hold_ = false;
    const auto& holder = seen_->record.holder_identity;
    lose(holder.empty() ? "somebody has freed it" : fmt::format("{} has taken it", holder));
    if (is_free(now)) {
        known_ = Known::Takeable;
        return;
    }
    known_ = Known::Nothing;
    rest(now);
}

void LeaderElector::absent() {
    known_ = Known::Absent;
    may_hold_ = false;
    seen_.reset();
    lose("somebody has deleted it");
}

void LeaderElector::lose(std::string why) {
    if (std::exchange(leading_, false)) {
        lost_because_ = std::move(why);
    }
}

void LeaderElector::notice_expiry(TimePoint now) {
    if (!leading_ || now < leading_until_) {
        return;
    }
    // What was seen so long ago is no ground to write on.
    known_ = Known::Nothing;
    lose(fmt::format("it was not renewed for {}{}{}", in_words(parts_.settings.renew_deadline),
                     problem_.empty() ? "" : ": ", problem_));
}

void LeaderElector::rest(TimePoint now) {
    conflict_ = false;
    if (resigned_) {
        return;
    }
    const auto period = parts_.settings.retry_period;
    if (leading_) {
        rest_until_ = now + period;
        return;
    }
    std::uniform_real_distribution<double> part{0.0, kJitter};
    const std::chrono::duration<double> more =
        std::chrono::duration<double>{period} * part(random_);
    rest_until_ = now + period + std::chrono::duration_cast<Duration>(more);
}

}  // namespace smw::coordination
