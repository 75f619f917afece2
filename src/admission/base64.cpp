#include "admission/base64.hpp"

#include <cstddef>
#include <cstdint>

namespace smw::admission {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kGroup = 3;  // bytes that make four characters

/// Up to three bytes, from the top of 24 bits on.
std::uint32_t bits_of(std::string_view group) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kGroup; ++i) {
        const auto byte = i < group.size() ? static_cast<unsigned char>(group[i]) : 0U;
        bits = bits << 8 | byte;
    }
    return bits;
}

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out((bytes.size() + kGroup - 1) / kGroup * 4, '=');
    auto to = out.begin();
    for (std::size_t at = 0; at < bytes.size(); at += kGroup, to += 4) {
        const auto group = bytes.substr(at, kGroup);
        const auto bits = bits_of(group);
        // n bytes fill n + 1 characters, the others stay padding.
        for (std::size_t i = 0; i <= group.size(); ++i) {
            to[static_cast<std::ptrdiff_t>(i)] = kAlphabet[bits >> (18 - 6 * i) & 0x3f];
        }
    }
    return out;
}

}  // namespace smw::admission
