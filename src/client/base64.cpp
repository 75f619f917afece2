#include "smw/client/base64.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace smw::client {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kGroup = 4;  // characters that make three bytes

/// The bytes of `group`, whose last `padding` characters are '='.
bool append_group(std::string& out, std::string_view group, std::size_t padding) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kGroup; ++i) {
        const bool is_padding = i >= kGroup - padding;
        const std::size_t digit = is_padding ? 0 : kAlphabet.find(group[i]);
        if (digit == std::string_view::npos || (is_padding && group[i] != '=')) {
            return false;
        }
        bits = bits << 6U | static_cast<std::uint32_t>(digit);
    }
    const std::array<char, 3> bytes{static_cast<char>(bits >> 16U & 0xFFU),
                                    static_cast<char>(bits >> 8U & 0xFFU),
                                    static_cast<char>(bits & 0xFFU)};
    out.append(bytes.data(), bytes.size() - padding);
    return true;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
    std::string digits;
    digits.reserve(text.size());
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
                 [](char c) { return c != '\n' && c != '\r'; });
    if (digits.size() % kGroup != 0) {
        return std::nullopt;
    }
    std::string out;
    out.reserve(digits.size() / kGroup * 3);
    for (std::string_view rest = digits; !rest.empty(); rest.remove_prefix(kGroup)) {
        std::size_t padding = 0;
        if (rest.size() == kGroup && rest[3] == '=') {
            padding = rest[2] == '=' ? 2 : 1;
        }
        if (!append_group(out, rest.substr(0, kGroup), padding)) {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace smw::client
