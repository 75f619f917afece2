#pragma once
// JSON Pointer, RFC 6901.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::json {

class Pointer {
public:
    Pointer() = default;  ///< the whole document: ""
    [[nodiscard]] static Expected<Pointer> parse(std::string_view text);

    /// One step further down. The token is unescaped text; `/` and `~` are escaped when printed.
    [[nodiscard]] Pointer operator/(std::string_view token) const&;
    [[nodiscard]] Pointer operator/(std::string_view token) &&;
    [[nodiscard]] Pointer operator/(std::size_t index) const&;
    [[nodiscard]] Pointer operator/(std::size_t index) &&;

    [[nodiscard]] const std::vector<std::string>& tokens() const { return tokens_; }
    [[nodiscard]] std::string text() const;

    /// What it points to, also when that is null; nothing when a step is missing. An array step is
    /// an index without leading zeros.
    [[nodiscard]] std::optional<Value> resolve(Value root) const;

    friend bool operator==(const Pointer&, const Pointer&) = default;

private:
    std::vector<std::string> tokens_;
};

}  // namespace smw::json
