#pragma once
// The second opinion: nlohmann, which is not the code that reads, patches or writes in reviews.

#include "smw/json/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::fuzz {

/// Whether nlohmann takes this as JSON.
[[nodiscard]] bool is_json(std::string_view text);
/// Whether two texts are the same JSON.
[[nodiscard]] bool is_same_json(std::string_view left, std::string_view right);
/// Of members with the same name we see the first and nlohmann the last: no opinion then.
[[nodiscard]] bool has_doubles(json::Value value);
/// `object` after the patch; nothing when it does not apply.
[[nodiscard]] std::optional<std::string> patched(std::string_view object, std::string_view patch);
/// JSON Pointers of all that differs between two texts.
[[nodiscard]] std::vector<std::string> differences(std::string_view before, std::string_view after);
/// What a JSON Pointer refers to, as text.
struct Resolved {
    bool is_pointer = false;
    std::optional<std::string> value;
};
[[nodiscard]] Resolved resolve(std::string_view pointer, std::string_view json);
/// The string at a pointer; nothing when there is none.
[[nodiscard]] std::optional<std::string> string_at(std::string_view pointer, std::string_view json);

}  // namespace smw::fuzz
