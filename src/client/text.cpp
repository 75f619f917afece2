#include "client/text.hpp"

#include <algorithm>

namespace smw::client {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

bool is_visible(char c) {
    return c > 0x20 && c < 0x7F;
}

}  // namespace

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_header_value(std::string_view text) {
    return std::none_of(text.begin(), text.end(), is_control);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_visible);
}

std::string printable(std::string_view text, std::size_t most) {
    std::string out{text.substr(0, most)};
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c != ' ' && !is_visible(c); }, '?');
    return out;
}

}  // namespace smw::client
