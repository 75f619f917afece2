#pragma once
// One kind of object that a system wants to know, and how far that knowledge has come.

#include "smw/async/latch.hpp"
#include "smw/watch/sink.hpp"

#include <functional>

namespace smw::watch {

/// Made by a system, filled by a source. `sink` and `synced` outlive the source.
struct Cache {
    Resource resource;
    Sink* sink = nullptr;
    async::Latch* synced = nullptr;        ///< set by the source after the first whole relist
    std::function<std::size_t()> objects;  ///< for the gauge cache_objects
    bool files_only = false;               ///< Jobs: read from --manifests, never watched
};

}  // namespace smw::watch
