#pragma once
// YAML in, JSON out, as kubectl reads manifests (YAML 1.1 booleans, anchors, merge keys, several
// documents; quoted scalars stay strings). JSON is YAML enough to go the same way. Cold paths.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smw::json {

struct YamlDocument {
    Text json;
    int line = 1;  ///< where the document starts, from 1
};

/// All documents of a text, empty ones left out. An error says line and reason:
/// "line 7: mapping values are not allowed here". Aliases may expand to 64 MiB in all.
[[nodiscard]] Expected<std::vector<YamlDocument>> parse_yaml(std::string_view text);

/// A kind in YAML's words, for whoever wrote the file: "a mapping", "a list", "text".
[[nodiscard]] std::string_view yaml_name(Kind kind);

/// Block-style YAML of JSON text, members in their order, ending in a newline.
[[nodiscard]] Expected<std::string> to_yaml(const Text& text);

}  // namespace smw::json
