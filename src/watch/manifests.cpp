#include "smw/watch/manifests.hpp"

#include "smw/async/folder_watcher.hpp"
#include "smw/async/sleep.hpp"
#include "watch/cache_meters.hpp"
#include "watch/change_tracker.hpp"
#include "watch/manifest_folder.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <iterator>

namespace smw::watch {
namespace {

/// inotify tells of most changes at once; the poll finds the rest.
constexpr Duration kPoll = std::chrono::milliseconds{500};
/// Between two looks, at least: a file that is written to all the time must not cost a core.
constexpr Duration kPause = std::chrono::milliseconds{50};

std::vector<Resource> resources_of(const std::vector<Cache>& caches) {
    std::vector<Resource> resources;
    resources.reserve(caches.size());
    for (const auto& cache : caches) {
        resources.push_back(cache.resource);
    }
    return resources;
}

}  // namespace

Manifests::Manifests(Parts parts)
    : parts_(std::move(parts)),
      set_(resources_of(parts_.caches)),
      tracker_(std::make_unique<ChangeTracker>()) {
    for (const auto& cache : parts_.caches) {
        meters_.push_back(CacheMeters::make(parts_.metrics, cache.label()));
    }
    problems_.publish(std::make_shared<const std::vector<Problem>>());
}

Manifests::~Manifests() = default;

Task<void> Manifests::run() {
    const auto executor = co_await boost::asio::this_coro::executor;
    async::FolderWatcher watcher{executor, parts_.folder, kPoll};
    for (;;) {
        const bool pending = look();
        if (!pending) {
            co_await watcher.wait();
        }
        co_await async::sleep(kPause);
    }
}

bool Manifests::look() {
    const auto now = parts_.clock.now();
    const auto seen = scan(parts_.folder);
    if (!seen) {
        auto problems = of_files_;
        problems.insert(problems.begin(), Problem{"", 0, seen.error().message});
        publish(std::move(problems));
        return false;
    }
    const auto step = tracker_->step(*seen, now, parts_.clock.wall());
    for (const auto& ready : step.read) {
        const auto& state = seen->at(ready.file);
        if (!state.problem.empty()) {
            set_.put_unreadable(ready.file, state.problem);
            continue;
        }
        const auto content = read_file(parts_.folder / ready.file);
        if (!content) {
            set_.put_unreadable(ready.file, content.error().message);
        } else if (ready.restless || (content->steady && content->state == state)) {
            set_.put(ready.file, content->text);
        } else {
            tracker_->read_failed(ready.file, now);
        }
    }
    for (const auto& file : step.gone) {
        set_.erase(file);
    }
    const bool changed = !step.read.empty() || !step.gone.empty();
    if (loaded_ ? changed : tracker_->all_read()) {
        apply();
    }
    if (changed) {
        of_files_ = set_.problems();
    }
    publish(of_files_);
    return step.pending;
}

void Manifests::apply() {
    for (std::size_t at = 0; at < parts_.caches.size(); ++at) {
        const Cache& cache = parts_.caches[at];
        set_.apply(cache.resource, *cache.sink);
        meters_[at].objects.set(static_cast<double>(cache.objects()));
        meters_[at].last_event.set(seconds_since_epoch(parts_.clock.wall()));
        parts_.logger.info(loaded_ ? "Manifests changed" : "Manifests loaded",
                           {{"resource", std::string_view{cache.resource.plural}},
                            {"objects", static_cast<std::int64_t>(cache.objects())},
                            {"folder", std::string_view{parts_.folder.native()}}});
    }
    if (loaded_) {
        return;
    }
    loaded_ = true;
    for (std::size_t at = 0; at < parts_.caches.size(); ++at) {
        meters_[at].relists.front().increment();  // of RelistCause::Initial
        meters_[at].synced.set(1);
        parts_.caches[at].synced->set();
    }
}

void Manifests::publish(std::vector<Problem> problems) {
    const auto before = problems_.load();
    if (*before == problems) {
        return;
    }
    std::vector<Problem> fresh;
    std::ranges::set_difference(problems, *before, std::back_inserter(fresh));
    for (const auto& problem : fresh) {
        if (problem.file.empty()) {
            parts_.logger.error("Manifests folder cannot be read; looking again",
                                {{"why", std::string_view{problem.reason}}});
            continue;
        }
        parts_.logger.warn("Manifest has a problem",
                           {{"file", std::string_view{problem.file}},
                            {"line", std::int64_t{problem.line}},
                            {"reason", std::string_view{problem.reason}}});
    }
    problems_.publish(std::make_shared<const std::vector<Problem>>(std::move(problems)));
}

}  // namespace smw::watch
