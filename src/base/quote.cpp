#include "smw/base/quote.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace smw {
namespace {

bool is_continuation(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

void append_escape(std::string& out, std::uint32_t code_unit) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) {
        out += kHex[(code_unit >> shift) & 0xFU];
    }
}

void append_ascii(std::string& out, char character) {
    switch (character) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            append_escape(out, static_cast<unsigned char>(character));
    }
}

/// By byte: whether it stands for itself.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x7F; ++byte) {
        plain[byte] = byte != '"' && byte != '\\';
    }
    return plain;
}();

bool is_plain(char character) {
    return kPlain[static_cast<unsigned char>(character)];
}

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kBlanks = ' ' * kOnes;

/// Eight bytes at once: which of them are kPlain's exceptions, by their highest bits. A bit may be
/// set too much, above the first that is right.
std::uint64_t exceptions(std::uint64_t bytes) {
    constexpr std::uint64_t kHigh = 0x80 * kOnes;
    const auto zeros = [](std::uint64_t word) {
        return (word - kOnes) & ~word;
    };
    const std::uint64_t controls = (bytes - 0x20 * kOnes) & ~bytes;
    return (bytes | controls | zeros(bytes ^ 0x7F * kOnes) | zeros(bytes ^ '"' * kOnes) |
            zeros(bytes ^ '\\' * kOnes)) &
           kHigh;
}

/// How many bytes stand for themselves.
std::size_t plain_run(std::string_view text) {
    std::size_t run = 0;
    while (run < text.size()) {
        std::uint64_t word = kBlanks;
        const std::size_t count = std::min(sizeof word, text.size() - run);
        std::memcpy(&word, text.data() + run, count);
        if (exceptions(word) != 0) {
            break;
        }
        run += count;
    }
    while (run < text.size() && is_plain(text[run])) {
        ++run;
    }
    return run;
}

/// The code point when it is one of U+0080–U+009F, U+2028, U+2029; else 0.
std::uint32_t unsafe_code_point(std::string_view sequence) {
    if (sequence.size() == 2 && sequence[0] == '\xC2' &&
        static_cast<unsigned char>(sequence[1]) < 0xA0) {
        return static_cast<unsigned char>(sequence[1]);
    }
    if (sequence == "\xE2\x80\xA8") {
        return 0x2028;
    }
    return sequence == "\xE2\x80\xA9" ? 0x2029 : 0;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) {
        return 1;
    }
    if (!is_continuation(text, 1)) {
        return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (!is_continuation(text, 2)) {
        return 0;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        // No overlong forms, no surrogates (RFC 3629 section 4).
        const bool refused = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F);
        return refused ? 0 : 3;
    }
    if (first >= 0xF0 && first <= 0xF4 && is_continuation(text, 3)) {
        const bool refused = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
        return refused ? 0 : 4;
    }
    return 0;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t run = plain_run(text);
        out.append(text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) {
            break;
        }
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (length == 1) {
            append_ascii(out, text[0]);
        } else if (const std::uint32_t code = unsafe_code_point(text.substr(0, length))) {
            append_escape(out, code);
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

}  // namespace smw
