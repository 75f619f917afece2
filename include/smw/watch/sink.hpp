#pragma once
// Where a source of objects (Manifests, later a Reflector) puts what it sees.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/kube/meta.hpp"

#include <string>
#include <string_view>

namespace smw::watch {

/// One kind of object at the API server.
struct Resource {
    std::string group;
    std::string version;
    std::string kind;
    std::string plural;  ///< as in the URL, and the `resource` label of metrics
    friend bool operator==(const Resource&, const Resource&) = default;
};

/// One source calls, from one thread; between begin_relist() and end_relist() each object that
/// exists is applied once: those not seen are removed at the end (mark and sweep). A relist that
/// breaks off is simply begun again and removes nothing.
class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    virtual void begin_relist() = 0;
    virtual void end_relist() = 0;
    /// Added or changed. An object that cannot be read (no metadata.name) is an error and changes
    /// nothing.
    virtual Expected<void> apply(json::Value object) = 0;
    virtual void remove(const kube::ObjectKey& key) = 0;
};

}  // namespace smw::watch
