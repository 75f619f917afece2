#pragma once
// One kind of object that a system wants to know, and how far that knowledge has come.

#include "smw/async/latch.hpp"
#include "smw/watch/sink.hpp"

#include <functional>
#include <string>
#include <vector>

namespace smw::watch {

/// Made by a system, filled by a source. `sink` and `synced` outlive the source.
struct Cache {
    Resource resource;
    Sink* sink = nullptr;
    async::Latch* synced = nullptr;         ///< set by the source after the first whole relist
    std::function<std::size_t()> objects;   ///< for the gauge cache_objects
    std::vector<std::string> namespaces{};  ///< watched one by one; empty: all at once
    /// Watched alone, by a field selector, as RBAC with resourceNames wants it; empty: all.
    std::string name{};

    /// In logs, metrics and probes: "secrets", "secrets/webhook-certs".
    [[nodiscard]] std::string label() const {
        return name.empty() ? resource.plural : resource.plural + "/" + name;
    }
};

}  // namespace smw::watch
