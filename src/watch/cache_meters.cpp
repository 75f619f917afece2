#include "watch/cache_meters.hpp"

#include "smw/watch/reflector.hpp"

#include <chrono>

namespace smw::watch {
namespace {

metrics::Gauge cache_gauge(metrics::Registry& registry, const std::string& resource,
                           std::string name, std::string help) {
    metrics::Description description;
    description.name = std::move(name);
    description.help = std::move(help);
    description.labels = {"resource"};
    return registry.gauge(std::move(description)).with({resource});
}

}  // namespace

CacheMeters CacheMeters::make(metrics::Registry& registry, const std::string& resource) {
    metrics::Description description;
    description.name = "smw_cache_relists_total";
    description.help = "Times a cache was filled anew, by what made it necessary.";
    description.labels = {"resource", "cause"};
    const auto relists = registry.counter(std::move(description));
    const auto relists_of = [&](RelistCause cause) {
        return relists.with({resource, to_string(cause)});
    };
    return {cache_gauge(registry, resource, "smw_cache_objects", "Objects in a cache."),
            cache_gauge(registry, resource, "smw_cache_synced",
                        "Whether a cache has been filled once (1) or not yet (0)."),
            cache_gauge(registry, resource, "smw_cache_last_event_timestamp_seconds",
                        "When a cache last heard from its source."),
            {relists_of(RelistCause::Initial), relists_of(RelistCause::Gone),
             relists_of(RelistCause::Error)}};
}

double seconds_since_epoch(WallTime time) {
    return std::chrono::duration<double>{time.time_since_epoch()}.count();
}

}  // namespace smw::watch
