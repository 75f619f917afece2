#pragma once
// What YAML means, as text to compare.

#include "smw/json/yaml.hpp"

#include <string>
#include <string_view>

namespace smw::json {

/// The JSON of a text with one document, or the error.
inline std::string json_of(std::string_view text) {
    const auto documents = parse_yaml(text);
    if (!documents) {
        return documents.error().message;
    }
    if (documents->size() != 1) {
        return std::to_string(documents->size()) + " documents";
    }
    return documents->front().json.json;
}

}  // namespace smw::json
