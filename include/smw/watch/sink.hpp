#pragma once
// Where a source of objects (Manifests, Reflector) puts what it sees.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/kube/meta.hpp"

#include <string>
#include <string_view>

namespace smw::watch {

using kube::Resource;

/// Sources call from one thread. Between begin_relist() and end_relist() each object of that
/// namespace (empty: of all) that exists is applied once: those not seen are removed at the end
/// (mark and sweep). A relist that breaks off is simply begun again and removes nothing. Either one
/// source relists all namespaces, or each namespace has a source of its own.
class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    virtual void begin_relist(std::string_view namespace_) = 0;
    virtual void end_relist(std::string_view namespace_) = 0;
    /// Added or changed. An object that cannot be read (no metadata.name) is an error and changes
    /// nothing.
    virtual Expected<void> apply(json::Value object) = 0;
    virtual void remove(const kube::ObjectKey& key) = 0;
};

}  // namespace smw::watch
