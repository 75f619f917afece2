#pragma once
// Changing JSON text, for cold paths: nlohmann keeps the tree, member order is kept.

#include "smw/base/error.hpp"
#include "smw/json/writer.hpp"

namespace smw::json {

/// `object` after the JSON Patch (RFC 6902), or why it does not apply.
[[nodiscard]] Expected<Text> apply_patch(const Text& object, const Text& patch);

/// The same JSON, indented by two blanks.
[[nodiscard]] Expected<Text> pretty(const Text& text);

}  // namespace smw::json
