#include "smw/base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace smw {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// So many bytes make so many characters.
constexpr std::size_t kBytes = 3;
constexpr std::size_t kDigits = 4;

/// Up to three bytes, from the top of 24 bits on.
std::uint32_t bits_of(std::string_view group) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
        const auto byte = i < group.size() ? static_cast<unsigned char>(group[i]) : 0U;
        bits = bits << 8 | byte;
    }
    return bits;
}

/// The bytes of `group`, whose last `padding` characters are '='.
bool append_group(std::string& out, std::string_view group, std::size_t padding) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kDigits; ++i) {
        const bool is_padding = i >= kDigits - padding;
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

std::string encode_base64(std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
}

void append_base64(std::string& out, std::string_view bytes) {
    const std::size_t before = out.size();
    out.resize(before + (bytes.size() + kBytes - 1) / kBytes * kDigits, '=');
    char* to = out.data() + before;
    while (bytes.size() >= kBytes) {
        const auto bits = bits_of(bytes);
        for (const unsigned shift : {18U, 12U, 6U, 0U}) {
            *to++ = kAlphabet[bits >> shift & 0x3FU];
        }
        bytes.remove_prefix(kBytes);
    }
    // n bytes fill n + 1 characters, the others stay padding.
    const auto bits = bits_of(bytes);
    for (std::size_t i = 0; !bytes.empty() && i <= bytes.size(); ++i) {
        *to++ = kAlphabet[bits >> (18 - 6 * i) & 0x3FU];
    }
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string digits;
    digits.reserve(text.size());
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
                 [](char c) { return c != '\n' && c != '\r'; });
    if (digits.size() % kDigits != 0) {
        return std::nullopt;
    }
    std::string out;
    out.reserve(digits.size() / kDigits * 3);
    for (std::string_view rest = digits; !rest.empty(); rest.remove_prefix(kDigits)) {
        std::size_t padding = 0;
        if (rest.size() == kDigits && rest[3] == '=') {
            padding = rest[2] == '=' ? 2 : 1;
        }
        if (!append_group(out, rest.substr(0, kDigits), padding)) {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace smw
