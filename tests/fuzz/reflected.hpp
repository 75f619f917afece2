#pragma once
// A Reflector whose actions are looked at, and a sink that looks at what it is told.

#include "smw/watch/reflector.hpp"
#include "smw/watch/store.hpp"
#include "target.hpp"

#include <chrono>
#include <string>
#include <variant>

namespace smw::fuzz {

class WatchedSink final : public watch::Sink {
public:
    explicit WatchedSink(std::string namespace_) : watched_(std::move(namespace_)) {}

    void begin_relist(std::string_view namespace_) override {
        check(namespace_ == watched_, "a relist of another namespace");
        begun_ = true;
    }
    void end_relist(std::string_view namespace_) override {
        check(begun_ && namespace_ == watched_, "an end without a begin");
        begun_ = false;
        ended_ = true;
    }
    Expected<void> apply(json::Value object) override {
        const auto key = watch::read_object_key(object);
        check(key.has_value(), "an object without a name");
        check_key(*key);
        ++applied_;
        return {};
    }
    void remove(const kube::ObjectKey& key) override { check_key(key); }

    [[nodiscard]] bool is_synced() const { return ended_; }
    [[nodiscard]] std::size_t applied() const { return applied_; }

private:
    void check_key(const kube::ObjectKey& key) const {
        check(begun_ || ended_, "an object before any list");
        check(!key.name.empty(), "an object without a name");
        check(watched_.empty() || key.namespace_ == watched_, "an object of another namespace");
    }

    std::string watched_;  ///< namespace; empty: all
    bool begun_ = false;
    bool ended_ = false;
    std::size_t applied_ = 0;
};

/// One Reflector, its clock and its sink.
class Reflected {
public:
    explicit Reflected(std::string namespace_)
        : sink_(namespace_), reflector_({std::move(namespace_), sink_, {}, 1}) {}

    [[nodiscard]] watch::Reflector& reflector() { return reflector_; }
    [[nodiscard]] const WatchedSink& sink() const { return sink_; }
    [[nodiscard]] TimePoint now() const { return now_; }

    /// What is to be done, pauses slept through.
    [[nodiscard]] watch::Action next() {
        auto action = reflector_.next(now_);
        while (const auto* pause = std::get_if<watch::Pause>(&action)) {
            check(pause->until > now_ && pause->until <= now_ + std::chrono::minutes{5},
                  "a pause of no time, or of too much");
            now_ = pause->until;
            action = reflector_.next(now_);
        }
        check_sense(action);
        return action;
    }

private:
    void check_sense(const watch::Action& action) const {
        const auto& condition = reflector_.condition();
        check(condition.synced == sink_.is_synced() || condition.absent,
              "synced without a whole list, or not with one");
        check(is_one_line(condition.problem), "a problem that is more than a line");
        if (const auto* page = std::get_if<watch::GetPage>(&action)) {
            check(page->limit >= 1 && page->limit <= 500, "a page of no size");
        } else if (const auto* open = std::get_if<watch::OpenWatch>(&action)) {
            check(open->resource_version.empty() == open->initial_events,
                  "a watch from nowhere, or initial events from somewhere");
            check(open->resource_version != "0", "a watch from any version");
        }
    }

    TimePoint now_{std::chrono::hours{1}};
    WatchedSink sink_;
    watch::Reflector reflector_;
};

/// The failure of a request that the API server answered with this code.
[[nodiscard]] inline client::Failure failure(int code) {
    client::Failure failed;
    failed.error = Error{Code::Unavailable, "as the target wants it"};
    failed.status.code = code;
    return failed;
}

}  // namespace smw::fuzz
