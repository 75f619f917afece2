#include "cert_rotation/base64.hpp"

#include <cstdint>

namespace smw::cert_rotation {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string encode_base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    unsigned held = 0;  // bits that wait for their character
    for (const char byte : bytes) {
        bits = bits << 8U | static_cast<unsigned char>(byte);
        for (held += 8; held >= 6; held -= 6) {
            out += kAlphabet[bits >> (held - 6) & 0x3fU];
        }
    }
    if (held > 0) {
        out += kAlphabet[bits << (6 - held) & 0x3fU];
    }
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

}  // namespace smw::cert_rotation
