#pragma once
// JSON Patch (RFC 6902): the few ops that we make, and the proof that they apply. A patch that does
// not apply fails the pod even under failurePolicy Ignore.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/json/pointer.hpp"
#include "smw/json/writer.hpp"

#include <string>
#include <vector>

namespace smw::admission {

struct PatchOp {
    enum class Kind { Add, Replace };
    Kind kind = Kind::Replace;
    json::Pointer path;
    json::Text value;
    friend bool operator==(const PatchOp&, const PatchOp&) = default;
};

using JsonPatch = std::vector<PatchOp>;

/// The patch as compact JSON text.
[[nodiscard]] json::Text to_json(const JsonPatch& patch);

/// Every replace resolves to a string in `object` (or in what an earlier op of this patch added)
/// and puts a string there; the parent of every add is an object (there or just added) in which
/// that member is absent or null; no path is empty, every value is JSON. Otherwise an error that
/// names the op.
[[nodiscard]] Expected<void> prove(const JsonPatch& patch, json::Value object);

}  // namespace smw::admission
