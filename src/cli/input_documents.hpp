#pragma once
// YAML and JSON files as single documents that know where they stand. Pure.

#include "smw/base/error.hpp"
#include "smw/json/writer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smw::cli {

/// "file:line", as editors take it.
struct Place {
    std::string file;
    int line = 1;
    friend bool operator==(const Place&, const Place&) = default;
};

/// Its JSON, or why it has none.
struct InputDocument {
    Place place;
    Expected<json::Text> json;
};

/// All documents of a file in their order, those of a `kind: List` one by one. When one is broken
/// the others are still read.
[[nodiscard]] std::vector<InputDocument> read_documents(const std::string& file,
                                                        std::string_view text);

}  // namespace smw::cli
