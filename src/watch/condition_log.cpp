#include "watch/condition_log.hpp"

#include <fmt/format.h>

#include <utility>

namespace smw::watch {
namespace {

using std::chrono::duration_cast;

std::string_view problem_message(const ConditionLog::Sight& sight) {
    if (sight.condition.synced) {
        return sight.refused ? "Watch refused; serving the last good state"
                             : "Watch interrupted; serving the last good state";
    }
    return sight.refused ? "Watch refused; not synced yet" : "Watch interrupted; not synced yet";
}

}  // namespace

std::string in_words(Duration span) {
    const auto seconds = duration_cast<std::chrono::seconds>(span).count();
    if (seconds < 60) {
        return fmt::format("{}s", seconds);
    }
    if (seconds < 3600) {
        return fmt::format("{}m", seconds / 60);
    }
    return fmt::format("{}h{}m", seconds / 3600, seconds % 3600 / 60);
}

Absence absence_of(const Condition& condition, std::size_t objects) {
    if (!condition.absent) {
        return Absence::None;
    }
    const bool remembered = condition.synced && !condition.emptied && objects > 0;
    return remembered ? Absence::Remembered : Absence::Complete;
}

void ConditionLog::look(const Sight& sight) {
    tell_synced(sight);
    tell_absent(sight);
    tell_problem(sight);
    tell_stale(sight.stale);
    tell_skipped(sight);
}

void ConditionLog::tell_synced(const Sight& sight) {
    if (synced_ || !sight.condition.synced) {
        return;
    }
    synced_ = true;
    const auto took = duration_cast<std::chrono::milliseconds>(sight.now - parts_.start).count();
    const auto text = fmt::format("{}ms", took);
    parts_.logger.info("Cache synced", {{"resource", std::string_view{parts_.resource}},
                                        {"namespace", std::string_view{parts_.namespace_}},
                                        {"objects", static_cast<std::int64_t>(sight.objects)},
                                        {"took", std::string_view{text}}});
}

void ConditionLog::tell_absent(const Sight& sight) {
    const auto absence = absence_of(sight.condition, sight.objects);
    if (absence == Absence::None && !sight.condition.problem.empty()) {
        return;  // who does not answer says nothing about it
    }
    if (std::exchange(absence_, absence) == absence ||
        std::exchange(parts_.last_warning.absence, absence) == absence) {
        return;
    }
    const auto& resource = parts_.resource;
    switch (absence) {
        case Absence::None:
            parts_.logger.info("Resource is installed", {{"resource", std::string_view{resource}}});
            return;
        case Absence::Remembered:
            parts_.logger.warn(
                "Resource is not installed; serving the last good state for a minute",
                {{"resource", std::string_view{resource}}});
            return;
        case Absence::Complete:
            parts_.logger.warn("Resource is not installed; serving without it",
                               {{"resource", std::string_view{resource}}});
            return;
    }
}

void ConditionLog::tell_problem(const Sight& sight) {
    const auto& problem = sight.condition.problem;
    if (problem == problem_) {
        return;
    }
    if (problem.empty()) {
        const bool heard = sight.condition.last_heard != heard_at_problem_;
        if (!heard) {
            return;  // a watch was opened, which may be refused in its first line
        }
        problem_.clear();
        if (!sight.condition.absent) {
            parts_.logger.info("Watch resumed",
                               {{"resource", std::string_view{parts_.resource}},
                                {"namespace", std::string_view{parts_.namespace_}}});
        }
        return;
    }
    const auto within = [&sight](const std::optional<TimePoint>& told, Duration quiet) {
        return told && sight.now - *told < quiet;
    };
    const auto& interrupted = parts_.last_warning.interrupted;
    auto& last = sight.refused ? parts_.last_warning.refused : parts_.last_warning.interrupted;
    if (within(last, kQuietAfterWarning) || (sight.refused && within(interrupted, kNoRolesYet))) {
        return;  // told when it lasts
    }
    last = sight.now;
    problem_ = problem;
    heard_at_problem_ = sight.condition.last_heard;
    parts_.logger.write(sight.refused ? log::Level::Error : log::Level::Warn,
                        problem_message(sight),
                        {{"resource", std::string_view{parts_.resource}},
                         {"namespace", std::string_view{parts_.namespace_}},
                         {"why", std::string_view{problem}}});
}

void ConditionLog::tell_stale(const std::optional<Duration>& stale) {
    if (stale && !stale_) {
        const auto silent = in_words(*stale);
        parts_.logger.warn("State is stale", {{"resource", std::string_view{parts_.resource}},
                                              {"namespace", std::string_view{parts_.namespace_}},
                                              {"silent", std::string_view{silent}}});
    } else if (!stale && stale_) {
        parts_.logger.info("State is fresh again",
                           {{"resource", std::string_view{parts_.resource}},
                            {"namespace", std::string_view{parts_.namespace_}}});
    }
    stale_ = stale.has_value();
}

void ConditionLog::tell_skipped(const Sight& sight) {
    const auto skipped = sight.condition.skipped;
    if (skipped == skipped_) {
        return;
    }
    parts_.logger.warn("Passing over objects that have no name, or another namespace",
                       {{"resource", std::string_view{parts_.resource}},
                        {"namespace", std::string_view{parts_.namespace_}},
                        {"objects", static_cast<std::int64_t>(skipped - skipped_)}});
    skipped_ = skipped;
}

}  // namespace smw::watch
