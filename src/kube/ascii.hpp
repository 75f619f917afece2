#pragma once
// Character classes of the grammars read here. Not <cctype>: that asks the locale.

#include <algorithm>
#include <string_view>

namespace smw::kube::ascii {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_alphanumeric(char c) {
    return is_digit(c) || is_lower(c) || is_upper(c);
}
constexpr bool is_lower_alphanumeric(char c) {
    return is_digit(c) || is_lower(c);
}
constexpr bool is_lower_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}
constexpr bool is_hex(char c) {
    return is_lower_hex(c) || (c >= 'A' && c <= 'F');
}

/// Also true of an empty text.
template <class Predicate>
constexpr bool all(std::string_view text, Predicate predicate) {
    return std::all_of(text.begin(), text.end(), predicate);
}

}  // namespace smw::kube::ascii
