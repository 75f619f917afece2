#pragma once
// The metrics of one cache, whatever fills it.

#include "smw/base/clock.hpp"
#include "smw/metrics/registry.hpp"

#include <array>
#include <string>

namespace smw::watch {

/// Thread-safe, valid while the registry lives.
struct CacheMeters {
    metrics::Gauge objects;
    metrics::Gauge synced;
    metrics::Gauge last_event;
    std::array<metrics::Counter, 3> relists;  ///< by RelistCause

    /// All are there, at zero.
    static CacheMeters make(metrics::Registry& registry, const std::string& resource);
};

[[nodiscard]] double seconds_since_epoch(WallTime time);

}  // namespace smw::watch
