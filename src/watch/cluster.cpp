#include "smw/watch/cluster.hpp"

#include "watch/cache_feeds.hpp"

#include <random>

namespace smw::watch {

Cluster::Cluster(Parts parts) : parts_(std::move(parts)) {
    std::mt19937_64 seeds{parts_.seed};
    for (const auto& cache : parts_.caches) {
        caches_.push_back(std::make_unique<CacheFeeds>(parts_, cache, seeds));
    }
}

Cluster::~Cluster() = default;

std::vector<std::function<Task<void>()>> Cluster::tasks() {
    std::vector<std::function<Task<void>()>> tasks;
    for (const auto& cache : caches_) {
        for (const auto& feed : cache->feeds()) {
            tasks.emplace_back([feed = feed.get()] { return feed->run(); });
        }
    }
    return tasks;
}

std::optional<std::string> Cluster::problem(const std::string& label) const {
    for (const auto& cache : caches_) {
        if (cache->label() == label) {
            return cache->problem();
        }
    }
    return std::nullopt;
}

}  // namespace smw::watch
