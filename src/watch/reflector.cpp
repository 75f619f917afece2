#include "smw/watch/reflector.hpp"

#include "smw/watch/store.hpp"
#include "watch/api_answers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::watch {
namespace {

/// Pages of a list at the full page limit. 2,000,000 objects are more than an API server holds.
constexpr std::size_t kMostPages = 4000;
/// A watch that ends sooner was refused in other words (client-go's VeryShortWatchError), or we
/// would shake hands for every event with a server that sends one and goes.
constexpr Duration kShortWatch = std::chrono::seconds{1};
/// A line that cannot be read comes again at the same resource version: at the third time it is
/// passed by with a relist.
constexpr int kMostGarbage = 3;
/// Whatever began and did not end twice is left alone.
constexpr int kMostUnfinishedStreams = 2;
/// Asked to stay away for hours we would serve what is hours old.
constexpr std::chrono::seconds kMostRetryAfter{60};

std::chrono::seconds retry_after(const kube::Status& status) {
    const std::chrono::seconds asked{status.retry_after_seconds.value_or(0)};
    return std::clamp(asked, std::chrono::seconds{0}, kMostRetryAfter);
}

}  // namespace

std::string_view to_string(RelistCause cause) {
    switch (cause) {
        case RelistCause::Initial:
            return "initial";
        case RelistCause::Gone:
            return "gone";
        case RelistCause::Error:
            return "error";
    }
    return "error";
}

Reflector::Reflector(Parts parts)
    : parts_(std::move(parts)),
      random_(parts_.seed),
      backoff_(parts_.settings.backoff, random_()),
      limit_(parts_.settings.page_limit) {
    proceed();
}

Action Reflector::next(TimePoint now) {
    if (const auto* waiting = std::get_if<Waiting>(&phase_); waiting && waiting->until <= now) {
        proceed();
    }
    if (const auto* listing = std::get_if<Listing>(&phase_)) {
        return GetPage{listing->token, limit_};
    }
    if (const auto* opening = std::get_if<Opening>(&phase_)) {
        return opening->watch;
    }
    if (const auto* reading = std::get_if<Reading>(&phase_)) {
        return ReadLine{reading->until};
    }
    return Pause{std::get<Waiting>(phase_).until};
}

void Reflector::proceed() {
    const bool relist = version_.empty();
    if (relist && lists_only_) {
        phase_ = Listing{};
        return;
    }
    std::uniform_int_distribution<std::chrono::seconds::rep> timeout{
        parts_.settings.least_watch.count(), parts_.settings.most_watch.count()};
    phase_ = Opening{OpenWatch{version_, relist, std::chrono::seconds{timeout(random_)}}};
}

void Reflector::retry(std::string problem, TimePoint now, std::chrono::seconds least) {
    not_absent();
    condition_.problem = std::move(problem);
    phase_ = Waiting{now + std::max<Duration>(backoff_.next(now), least)};
}

void Reflector::forget(RelistCause cause) {
    version_.clear();
    if (cause_ != RelistCause::Initial) {  // until the first relist has begun, it is the first
        cause_ = cause;
    }
}

void Reflector::begin_relist() {
    ++condition_.relists.at(static_cast<std::size_t>(cause_));
    cause_ = RelistCause::Error;
    emptied_ = false;
    parts_.sink.begin_relist(parts_.namespace_);
}

void Reflector::end_relist(std::string_view version) {
    parts_.sink.end_relist(parts_.namespace_);
    version_ = version;
    garbage_in_a_row_ = 0;
    condition_.synced = true;
}

void Reflector::not_absent() {
    condition_.absent = false;
    absent_since_.reset();
}

// Lists

void Reflector::got_page(json::Value list, TimePoint now) {
    auto& listing = std::get<Listing>(phase_);
    not_absent();
    const auto page = read_list_page(list);
    if (!page) {
        retry(page.error().message, now);
        return;
    }
    condition_.last_heard = now;
    if (++listing.pages == 1) {
        listing.version = page->version;
        begin_relist();
    }
    for (const auto item : page->items.items()) {
        const auto key = read_object_key(item);
        const bool ours =
            key && (parts_.namespace_.empty() || key->namespace_ == parts_.namespace_);
        if (!ours || !parts_.sink.apply(item)) {
            ++condition_.skipped;
        }
    }
    if (page->continue_token.empty()) {
        end_relist(listing.version);
        limit_ = parts_.settings.page_limit;
        proceed();
    } else if (page->continue_token == listing.token || listing.pages >= most_pages()) {
        retry("the list does not end", now);
    } else {
        listing.token = page->continue_token;
    }
}

std::size_t Reflector::most_pages() const {
    return kMostPages * std::max<std::size_t>(parts_.settings.page_limit / limit_, 1);
}

void Reflector::page_too_large(const std::string& why, TimePoint now) {
    if (limit_ == 1) {
        retry(why, now);
        return;
    }
    limit_ = std::max<std::size_t>(limit_ / 4, 1);
    proceed();
}

// Watches

void Reflector::opened(TimePoint now) {
    const bool initial_events = std::get<Opening>(phase_).watch.initial_events;
    not_absent();
    if (!initial_events) {
        condition_.problem.clear();
    }
    phase_ = Reading{initial_events, false, now, now + parts_.settings.silence};
}

void Reflector::got_line(std::string line, TimePoint now) {
    auto& reading = std::get<Reading>(phase_);
    reading.until = now + parts_.settings.silence;
    const auto document = json::Document::parse(std::move(line));
    if (!document) {
        garbage("a line that is no JSON", now);
        return;
    }
    const auto event = read_watch_event(document->root(), parts_.namespace_);
    if (!event) {
        garbage(event.error().message, now);
        return;
    }
    if (event->type == EventType::Error) {
        const auto status = kube::read_status(event->object);
        if (!status) {
            garbage("an ERROR event without a Status", now);
            return;
        }
        if (reading.initial_events) {
            count_unfinished();
        }
        refused(*status, describe(*status), now);
        return;
    }
    condition_.last_heard = now;
    if (reading.initial_events) {
        initial_event(*event, now);
    } else {
        live_event(*event, now);
    }
}

void Reflector::initial_event(const WatchEvent& event, TimePoint now) {
    auto& reading = std::get<Reading>(phase_);
    if (event.type == EventType::Bookmark && !event.ends_initial_events) {
        // The API server sends none before the one that ends the list: who sends one has not
        // understood what was asked for.
        lists_only_ = true;
        proceed();
        return;
    }
    if (event.ends_initial_events && event.version.empty()) {
        garbage("a bookmark without resourceVersion", now);
        return;
    }
    if (!reading.begun) {
        reading.begun = true;
        begin_relist();
    }
    if (event.ends_initial_events) {
        end_relist(event.version);
        unfinished_streams_ = 0;
        condition_.problem.clear();
        reading.initial_events = false;
        return;
    }
    if (!apply(event)) {
        garbage("an object that cannot be read", now);
    }
}

void Reflector::live_event(const WatchEvent& event, TimePoint now) {
    if (!apply(event)) {
        garbage("an object that cannot be read", now);
        return;
    }
    if (event.version.empty() || event.version == version_) {
        return;
    }
    version_ = event.version;
    garbage_in_a_row_ = 0;
    gone_in_a_row_ = 0;
    backoff_.reset();
}

bool Reflector::apply(const WatchEvent& event) {
    switch (event.type) {
        case EventType::Added:
        case EventType::Modified:
            return parts_.sink.apply(event.object).has_value();
        case EventType::Deleted:
            parts_.sink.remove(event.key);
            return true;
        case EventType::Bookmark:
        case EventType::Error:
            return true;
    }
    return true;
}

void Reflector::garbage(std::string_view what, TimePoint now) {
    if (is_streaming()) {
        count_unfinished();
    } else if (++garbage_in_a_row_ == kMostGarbage) {
        garbage_in_a_row_ = 0;
        forget(RelistCause::Error);
    }
    retry(fmt::format("the watch sent {}", what), now);
}

void Reflector::closed(TimePoint now) {
    garbage_in_a_row_ = 0;
    stream_ended("the watch was closed within a second", now);
}

void Reflector::stream_ended(const std::string& why, TimePoint now) {
    const auto& reading = std::get<Reading>(phase_);
    const bool in_vain = now - reading.opened < kShortWatch;
    if (reading.initial_events) {
        count_unfinished();
    }
    if (in_vain) {
        retry(why, now);
    } else {
        proceed();
    }
}

void Reflector::silent(const Reading& reading) {
    if (reading.initial_events) {
        lists_only_ = true;
    }
    const auto quiet = std::chrono::duration<double>{parts_.settings.silence};
    condition_.problem = fmt::format("nothing was heard for {:g} s", quiet.count());
    proceed();
}

void Reflector::count_unfinished() {
    if (++unfinished_streams_ == kMostUnfinishedStreams) {
        lists_only_ = true;
    }
}

bool Reflector::is_streaming() const {
    if (const auto* opening = std::get_if<Opening>(&phase_)) {
        return opening->watch.initial_events;
    }
    const auto* reading = std::get_if<Reading>(&phase_);
    return reading != nullptr && reading->initial_events;
}

// Failures

void Reflector::failed(const client::Failure& failure, TimePoint now) {
    const auto& why = failure.error.message;
    if (const auto* reading = std::get_if<Reading>(&phase_)) {
        if (failure.error.code == Code::DeadlineExceeded) {
            silent(*reading);
        } else if (failure.error.code == Code::TooLarge) {
            garbage("a line that is too long", now);
        } else {
            stream_ended(why, now);
        }
    } else if (std::holds_alternative<Waiting>(phase_)) {
        retry(why, now);
    } else if (std::holds_alternative<Listing>(phase_) && failure.error.code == Code::TooLarge) {
        page_too_large(why, now);
    } else if (classify(failure.status) == Refusal::Absent) {
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
        case Refusal::Absent:  // in a stream: opening the next one will tell
        case Refusal::Other:
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
    if ((for_good || !condition_.synced) && !emptied_) {
        emptied_ = true;
        parts_.sink.begin_relist(parts_.namespace_);
        parts_.sink.end_relist(parts_.namespace_);
    }
    phase_ = Waiting{now + parts_.settings.absent_retry};
}

}  // namespace smw::watch
