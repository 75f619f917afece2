#include "watch/feed.hpp"

#include "smw/async/forever.hpp"
#include "smw/async/sleep.hpp"
#include "smw/base/thrown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace smw::watch {
namespace {

void add(client::ApiRequest& request, std::string name, std::string value) {
    request.query.emplace_back(std::move(name), std::move(value));
}

}  // namespace

Feed::Feed(Parts parts)
    : parts_(std::move(parts)),
      reflector_({parts_.namespace_, *parts_.cache.sink, parts_.cluster.reflector, parts_.seed}),
      log_({parts_.cluster.logger, parts_.cache.label(), parts_.namespace_, parts_.last_warning,
            parts_.cluster.clock.now()}),
      heard_steady_(parts_.cluster.clock.now()) {
    shown_.publish(std::make_shared<const Shown>());
}

Task<void> Feed::run() {
    return async::forever([this] { return step(); },
                          [this](const std::exception_ptr& thrown) { threw(thrown); });
}

Task<void> Feed::step() {
    show();
    const auto action = reflector_.next(now());
    if (!std::holds_alternative<ReadLine>(action)) {
        stream_.reset();
    }
    if (const auto* page = std::get_if<GetPage>(&action)) {
        co_await list(*page);
    } else if (const auto* watch = std::get_if<OpenWatch>(&action)) {
        co_await open(*watch);
    } else if (const auto* line = std::get_if<ReadLine>(&action)) {
        co_await read(*line);
    } else {
        co_await pause(std::get<Pause>(action));
    }
}

Task<void> Feed::list(GetPage page) {
    auto get = request("list");
    add(get, "limit", std::to_string(page.limit));
    if (!page.continue_token.empty()) {
        add(get, "continue", page.continue_token);
    }
    const auto deadline = Deadline::at(now() + parts_.cluster.reflector.answer);
    const auto answer = co_await parts_.cluster.api.get(std::move(get), deadline);
    if (!answer) {
        failed(answer.error());
        co_return;
    }
    refused_ = false;
    reflector_.got_page(answer->root(), now());
}

Task<void> Feed::open(OpenWatch watch) {
    auto get = request("watch");
    add(get, "allowWatchBookmarks", "true");
    add(get, "resourceVersion", watch.resource_version);
    add(get, "timeoutSeconds", std::to_string(watch.timeout.count()));
    if (watch.initial_events) {
        add(get, "sendInitialEvents", "true");
        add(get, "resourceVersionMatch", "NotOlderThan");
    }
    const auto deadline = Deadline::at(now() + parts_.cluster.reflector.answer);
    auto answer = co_await parts_.cluster.api.watch(std::move(get), deadline);
    if (!answer) {
        failed(answer.error());
        co_return;
    }
    refused_ = false;
    stream_ = std::move(*answer);
    reflector_.opened(now());
}

Task<void> Feed::read(ReadLine line) {
    auto answer = co_await stream_->line(Deadline::at(line.until));
    if (!answer) {
        failed(answer.error());
    } else if (!*answer) {
        reflector_.closed(now());
    } else {
        reflector_.got_line(std::move(**answer), now());
    }
}

Task<void> Feed::pause(Pause pause) {
    co_await async::sleep(std::max(pause.until - now(), Duration::zero()));
}

void Feed::failed(const client::Failure& failure) {
    refused_ = failure.error.code == Code::Forbidden || failure.error.code == Code::Unauthorized;
    reflector_.failed(failure, now());
}

/// A defect of ours, or no memory: it must not end what keeps the state fresh.
void Feed::threw(const std::exception_ptr& thrown) {
    failed({{Code::Internal, "an exception: " + describe_thrown(thrown)}, {}});
}

client::ApiRequest Feed::request(std::string verb) const {
    client::ApiRequest request;
    request.verb = std::move(verb);
    request.resource = parts_.cache.resource;
    request.namespace_ = parts_.namespace_;
    if (!parts_.cache.name.empty()) {
        add(request, "fieldSelector", "metadata.name=" + parts_.cache.name);
    }
    return request;
}

std::optional<Duration> Feed::stale(TimePoint now) const {
    const auto silent = now - heard_steady_.load();
    return silent > parts_.cluster.max_staleness ? std::optional{silent} : std::nullopt;
}

void Feed::show() {
    const auto& condition = reflector_.condition();
    const auto moment = now();
    if (condition.last_heard && *condition.last_heard != heard_steady_.load()) {
        heard_steady_.store(*condition.last_heard);
        heard_ = parts_.cluster.clock.wall();
    }
    const auto objects = parts_.cache.objects();
    Shown shown{absence_of(condition, objects), condition.problem};
    if (shown != *shown_.load()) {
        shown_.publish(std::make_shared<const Shown>(std::move(shown)));
    }
    const ConditionLog::Sight sight{condition, refused_, stale(moment), objects, moment};
    log_.look(sight);
    parts_.on_step();
}

std::optional<std::string> Feed::problem() const {
    const auto shown = shown_.load();
    if (shown->absence == Absence::Remembered) {
        return "not installed: serving the last good state for a minute";
    }
    if (shown->absence == Absence::Complete) {
        const std::chrono::duration<double> every = parts_.cluster.reflector.absent_retry;
        return fmt::format("not installed: retrying every {:g} s", every.count());
    }
    auto text = shown->problem;
    if (const auto silent = stale(now())) {
        text += fmt::format("{}stale: nothing heard for {}", text.empty() ? "" : "; ",
                            in_words(*silent));
    }
    return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

}  // namespace smw::watch
