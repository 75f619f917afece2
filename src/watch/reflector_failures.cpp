// What a Reflector makes of answers that are refusals, and of none.
#include "smw/watch/reflector.hpp"
#include "watch/api_answers.hpp"

#include <algorithm>

namespace smw::watch {
namespace {

/// Asked to stay away for hours we would serve what is hours old.
constexpr std::chrono::seconds kMostRetryAfter{60};

std::chrono::seconds retry_after(const kube::Status& status) {
    const std::chrono::seconds asked{status.retry_after_seconds.value_or(0)};
    return std::clamp(asked, std::chrono::seconds{0}, kMostRetryAfter);
}

/// Said of this question rather than of the moment: by a proxy that knows lists and watches only.
bool cannot_stream(const kube::Status& status) {
    return status.code == 405 || status.code == 406 || status.code == 500 || status.code == 501;
}

}  // namespace

void Reflector::not_absent() {
    condition_.absent = false;
    absent_since_.reset();
}

void Reflector::page_too_large(const std::string& why, TimePoint now) {
    if (limit_ == 1) {
        retry(why, now);
        return;
    }
    limit_ = std::max<std::size_t>(limit_ / 4, 1);
    proceed();
}

void Reflector::failed(const client::Failure& failure, TimePoint now) {
    const auto& why = failure.error.message;
    if (std::holds_alternative<Reading>(phase_)) {
        if (failure.error.code == Code::DeadlineExceeded) {
            silent(now);
        } else if (failure.error.code == Code::TooLarge) {
            garbage("a line that is too long", now);
        } else if (failure.error.code == Code::Internal) {
            count_break();
            retry(why, now);
        } else {
            stream_ended(why, now);
        }
    } else if (std::holds_alternative<Waiting>(phase_)) {
        retry(why, now);
    } else if (std::holds_alternative<Listing>(phase_) && failure.error.code == Code::TooLarge) {
        page_too_large(why, now);
    } else if (classify(failure.status) == Refusal::Absent && failure.may_mean_absent()) {
        absent(now);
    } else {
        refused(failure.status, why, now);
    }
}

void Reflector::refused(const kube::Status& status, const std::string& why, TimePoint now) {
    const auto least = retry_after(status);
    switch (classify(status)) {
        case Refusal::Gone:
            gone(why, now, least);
            return;
        case Refusal::VersionTooLarge:
            forget(RelistCause::Error);
            retry(why, now, least);
            return;
        case Refusal::BadParameters:
            if (is_streaming()) {
                lists_only_ = true;
                proceed();
                return;
            }
            forget(RelistCause::Error);  // of a watch only the resource version can be bad
            retry(why, now, least);
            return;
        case Refusal::Absent:  // in a stream, or said by who stands on the way: the next will tell
        case Refusal::Other:
            if (is_streaming() && cannot_stream(status)) {
                count_unfinished();
            }
            retry(why, now, least);
            return;
    }
}

void Reflector::gone(const std::string& why, TimePoint now, std::chrono::seconds least) {
    const bool watching = !version_.empty();
    forget(RelistCause::Gone);
    if (!watching || gone_in_a_row_++ > 0) {
        retry(why, now, least);
        return;
    }
    not_absent();
    condition_.problem = why;
    proceed();
}

void Reflector::absent(TimePoint now) {
    if (!absent_since_) {
        absent_since_ = now;
    }
    condition_.last_heard = now;
    condition_.absent = true;
    condition_.problem.clear();
    forget(RelistCause::Error);
    const bool for_good = now - *absent_since_ >= parts_.settings.absent_for_good;
    // What was half-read before the first sync is not kept either: nothing of it may decide.
    if ((for_good || !condition_.synced) && !condition_.emptied) {
        condition_.emptied = true;
        parts_.sink.begin_relist(parts_.namespace_);
        parts_.sink.end_relist(parts_.namespace_);
    }
    phase_ = Waiting{now + parts_.settings.absent_retry};
}

}  // namespace smw::watch
