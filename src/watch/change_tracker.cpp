#include "watch/change_tracker.hpp"

#include <algorithm>

namespace smw::watch {

ChangeTracker::Watched& ChangeTracker::look_at(const std::string& file,
                                               std::optional<FileState> state, TimePoint now) {
    const auto [at, added] = files_.try_emplace(file);
    Watched& watched = at->second;
    if (added || watched.state != state) {
        watched.state = std::move(state);
        watched.since = now;
        if (!watched.unread) {
            watched.unread = now;
        }
    }
    return watched;
}

ChangeTracker::Step ChangeTracker::step(const FolderState& seen, TimePoint now, WallTime wall) {
    for (const auto& [file, state] : seen) {
        Watched& watched = look_at(file, state, now);
        if (first_) {
            const auto age = std::chrono::duration_cast<Duration>(wall - state.touched());
            watched.since = now - std::clamp(age, Duration::zero(), kQuiet);
        }
    }
    first_ = false;
    Step step;
    for (auto at = files_.begin(); at != files_.end();) {
        const auto& file = at->first;
        if (!seen.contains(file)) {
            look_at(file, std::nullopt, now);
        }
        Watched& watched = at->second;
        const bool quiet = now - watched.since >= kQuiet;
        const bool ready = watched.unread && (quiet || now - *watched.unread >= kPatience);
        if (ready && !watched.state) {
            step.gone.push_back(file);
            at = files_.erase(at);
            continue;
        }
        if (ready) {
            step.read.push_back({file, !quiet});
            watched.read = true;
            watched.unread = quiet ? std::nullopt : std::optional{now};
        }
        step.pending = step.pending || watched.unread.has_value();
        ++at;
    }
    return step;
}

void ChangeTracker::read_failed(const std::string& file, TimePoint now) {
    Watched& watched = files_.at(file);
    watched.since = now;
    watched.unread = watched.unread.value_or(now);
    watched.read = false;
}

bool ChangeTracker::all_read() const {
    return std::ranges::all_of(files_, [](const auto& entry) { return entry.second.read; });
}

}  // namespace smw::watch
