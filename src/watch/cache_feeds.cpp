#include "watch/cache_feeds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::watch {

CacheFeeds::CacheFeeds(const Cluster::Parts& cluster, const Cache& cache, std::mt19937_64& seeds)
    : cache_(cache), meters_(CacheMeters::make(cluster.metrics, cache.label())) {
    auto namespaces = cache.namespaces;
    if (namespaces.empty()) {
        namespaces.emplace_back();
    }
    for (const auto& namespace_ : namespaces) {
        const auto on_step = [this] {
            update();
        };
        feeds_.push_back(std::make_unique<Feed>(
            Feed::Parts{cluster, cache, namespace_, seeds(), last_warning_, on_step}));
    }
}

void CacheFeeds::update() {
    bool synced = true;
    bool known = true;
    auto heard = WallTime::max();
    std::array<std::uint64_t, 3> relists{};
    for (const auto& feed : feeds_) {
        const auto& condition = feed->condition();
        synced = synced && condition.synced;
        known = known && (condition.synced || condition.absent);
        heard = std::min(heard, feed->heard());
        for (std::size_t cause = 0; cause < relists.size(); ++cause) {
            relists[cause] += condition.relists[cause];
        }
    }
    meters_.objects.set(static_cast<double>(cache_.objects()));
    meters_.synced.set(synced ? 1 : 0);
    meters_.last_event.set(seconds_since_epoch(heard));
    for (std::size_t cause = 0; cause < relists.size(); ++cause) {
        meters_.relists[cause].increment(static_cast<double>(relists[cause] - relists_[cause]));
    }
    relists_ = relists;
    if (known && !cache_.synced->is_set()) {
        cache_.synced->set();
    }
}

std::optional<std::string> CacheFeeds::problem() const {
    std::optional<std::string> first;
    std::size_t others = 0;
    for (const auto& feed : feeds_) {
        auto problem = feed->problem();
        if (!problem) {
            continue;
        }
        if (first) {
            ++others;
        } else if (feed->namespace_().empty()) {
            first = std::move(problem);
        } else {
            first = fmt::format("namespace {}: {}", feed->namespace_(), *problem);
        }
    }
    if (others > 0) {
        *first += fmt::format(" (and {} more namespaces)", others);
    }
    return first;
}

}  // namespace smw::watch
