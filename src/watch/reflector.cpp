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
/// What breaks a stream comes again at the same resource version: at the third time it is passed by
/// with a relist.
constexpr int kMostBreaks = 3;
/// The API server sends initial events from memory, in one go (client-go warns after as long).
constexpr std::chrono::seconds kLateStream{10};
/// Whatever began and did not end twice is left alone.
constexpr int kMostUnfinishedStreams = 2;

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
        return ReadLine{silent_at(*reading)};
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
    condition_.emptied = false;
    parts_.sink.begin_relist(parts_.namespace_);
}

void Reflector::end_relist(std::string_view version) {
    parts_.sink.end_relist(parts_.namespace_);
    version_ = version;
    breaks_in_a_row_ = 0;
    condition_.synced = true;
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

// Watches

void Reflector::opened(TimePoint now) {
    const bool initial_events = std::get<Opening>(phase_).watch.initial_events;
    not_absent();
    if (!initial_events) {
        condition_.problem.clear();
    }
    phase_ = Reading{initial_events, false, now, now};
}

TimePoint Reflector::silent_at(const Reading& reading) const {
    if (!reading.initial_events) {
        return reading.heard + parts_.settings.silence;
    }
    return std::min(reading.heard + kLateStream, reading.opened + parts_.settings.silence);
}

void Reflector::got_line(std::string line, TimePoint now) {
    auto& reading = std::get<Reading>(phase_);
    reading.heard = now;
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
        if (reading.initial_events || is_server_error(*status)) {
            count_break();
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
    } else if (now - reading.opened >= std::min<Duration>(kLateStream, parts_.settings.silence)) {
        late(now);
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
    breaks_in_a_row_ = 0;
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
    count_break();
    retry(fmt::format("the watch sent {}", what), now);
}

void Reflector::count_break() {
    if (is_streaming()) {
        count_unfinished();
    } else if (++breaks_in_a_row_ == kMostBreaks) {
        breaks_in_a_row_ = 0;
        forget(RelistCause::Error);
    }
}

void Reflector::closed(TimePoint now) {
    breaks_in_a_row_ = 0;
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

void Reflector::silent(TimePoint now) {
    if (is_streaming()) {
        late(now);
        count_unfinished();
    } else {
        const auto quiet = std::chrono::duration<double>{parts_.settings.silence};
        condition_.problem = fmt::format("nothing was heard for {:g} s", quiet.count());
    }
    proceed();
}

void Reflector::late(TimePoint now) {
    const auto& silence = parts_.settings.silence;
    const std::chrono::duration<double> bound = std::min<Duration>(kLateStream, silence);
    condition_.problem = fmt::format("the streaming list has not ended for {:g} s", bound.count());
    if (now - std::get<Reading>(phase_).opened >= silence) {
        lists_only_ = true;
        proceed();
    }
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

}  // namespace smw::watch
