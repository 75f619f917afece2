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
    async::Latch* synced = nullptr;        ///< set by the source after the first whole relist
    std::function<std::size_t()> objects;  ///< for the gauge cache_objects
    std::vector<std::string> namespaces;   ///< watched one by one; empty: all at once
};

}  // namespace smw::watch
