#pragma once
// One cache and its feeds: what is known of the resource as a whole.

#include "watch/cache_meters.hpp"
#include "watch/feed.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace smw::watch {

/// One thread, except where said.
class CacheFeeds {
public:
    /// One feed for each namespace of the cache, or one for all. Both outlive this.
    CacheFeeds(const Cluster::Parts& cluster, const Cache& cache, std::mt19937_64& seeds);
    CacheFeeds(const CacheFeeds&) = delete;
    CacheFeeds& operator=(const CacheFeeds&) = delete;
    ~CacheFeeds() = default;

    [[nodiscard]] const std::vector<std::unique_ptr<Feed>>& feeds() const { return feeds_; }
    [[nodiscard]] std::string label() const { return cache_.label(); }
    /// Of the first feed that has one, and how many others have. Any thread.
    [[nodiscard]] std::optional<std::string> problem() const;

private:
    /// Brings metrics and the latch up to date.
    void update();

    const Cache& cache_;
    CacheMeters meters_;
    std::array<std::uint64_t, 3> relists_{};  ///< counted so far
    ConditionLog::LastWarning last_warning_;
    std::vector<std::unique_ptr<Feed>> feeds_;
};

}  // namespace smw::watch
