#include "json/yaml_scalar.hpp"

#include "smw/base/quote.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace smw::json {
namespace {

constexpr std::array<std::string_view, 5> kNull{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 11> kTrue{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                 "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> kFalse{"n",     "N",     "no",  "No",  "NO", "false",
                                                  "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 12> kNoJson{".nan",  ".NaN",  ".NAN",  ".inf",
                                                   ".Inf",  ".INF",  "+.inf", "+.Inf",
                                                   "+.INF", "-.inf", "-.Inf", "-.INF"};

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

/// Base and digits, as strconv.ParseInt with base 0 takes them apart.
struct Digits {
    int base = 10;
    std::string_view text;
};

Digits split_base(std::string_view text) {
    if (text.size() < 2 || text[0] != '0') {
        return {10, text};
    }
    switch (text[1]) {
        case 'x':
        case 'X':
            return {16, text.substr(2)};
        case 'o':
        case 'O':
            return {8, text.substr(2)};
        case 'b':
        case 'B':
            return {2, text.substr(2)};
        default:
            return {8, text.substr(1)};
    }
}

enum class Parsed { No, Yes, OutOfRange };

/// `json` gets the number. `text` is without underscores.
Parsed parse_integer(std::string_view text, std::string& json) {
    const bool signed_text = !text.empty() && (text[0] == '-' || text[0] == '+');
    const bool negative = signed_text && text[0] == '-';
    const Digits digits = split_base(text.substr(signed_text ? 1 : 0));
    std::uint64_t magnitude = 0;
    const char* end = digits.text.data() + digits.text.size();
    const auto parsed = std::from_chars(digits.text.data(), end, magnitude, digits.base);
    if (digits.text.empty() || parsed.ptr != end || parsed.ec == std::errc::invalid_argument) {
        return Parsed::No;
    }
    constexpr auto kLeast = std::uint64_t{1} << 63U;
    if (parsed.ec != std::errc{} || (negative && magnitude > kLeast)) {
        return Parsed::OutOfRange;
    }
    json = (negative && magnitude != 0 ? "-" : "") + std::to_string(magnitude);
    return Parsed::Yes;
}

std::size_t count_digits(std::string_view text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    return static_cast<std::size_t>(end - text.begin());
}

/// [-+]? ( .digits | digits [. digits?] ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        text.remove_prefix(1);
    }
    const std::size_t whole = count_digits(text);
    text.remove_prefix(whole);
    std::size_t fraction = 0;
    if (!text.empty() && text[0] == '.') {
        text.remove_prefix(1);
        fraction = count_digits(text);
        text.remove_prefix(fraction);
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (text.empty()) {
        return true;
    }
    if (text[0] != 'e' && text[0] != 'E') {
        return false;
    }
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        text.remove_prefix(1);
    }
    return !text.empty() && count_digits(text) == text.size();
}

/// As encoding/json writes a float64: whole numbers without a point. From 1e18 on with an exponent,
/// because a JSON reader of 64-bit integers refuses longer rows of digits.
std::string format_float(double number) {
    std::array<char, 64> buffer{};
    const double size = std::abs(number);
    const auto style = size == 0 || (size >= 1e-6 && size < 1e18) ? std::chars_format::fixed
                                                                  : std::chars_format::scientific;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, style).ptr;
    return {buffer.data(), end};
}

/// Nothing when it is no float, or one that overflows: goyaml leaves that a string.
std::optional<std::string> parse_float(std::string_view text) {
    if (!looks_like_float(text)) {
        return std::nullopt;
    }
    text.remove_prefix(text[0] == '+' ? 1 : 0);
    double number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec == std::errc::result_out_of_range) {
        const bool underflow = text.find("e-") != text.npos || text.find("E-") != text.npos;
        return underflow ? std::optional<std::string>{"0"} : std::nullopt;
    }
    return format_float(number);
}

Expected<Scalar> resolve_number(std::string_view text) {
    std::string plain{text};
    plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
    std::string json;
    const Parsed integer = parse_integer(plain, json);
    if (integer == Parsed::Yes) {
        return Scalar{ScalarKind::Integer, std::move(json)};
    }
    if (auto number = parse_float(plain)) {
        return Scalar{ScalarKind::Float, *std::move(number)};
    }
    if (integer == Parsed::OutOfRange) {
        return fail(Code::BadRequest, "number is out of range");
    }
    return Scalar{ScalarKind::String, std::string{text}};
}

/// Dates, times and sexagesimal numbers, which YAML 1.1 has and this resolver leaves alone.
bool looks_like_time(std::string_view text) {
    const bool is_dated = count_digits(text) == 4 && text.size() > 4 && text[4] == '-';
    return is_digit(text[0]) && (is_dated || text.find(':') != std::string_view::npos) &&
           text.find_first_not_of("0123456789:-._+ TtZz") == std::string_view::npos;
}

}  // namespace

Expected<Scalar> resolve_plain(std::string_view text) {
    if (is_one_of(text, kNull)) {
        return Scalar{ScalarKind::Null, "null"};
    }
    if (is_one_of(text, kTrue)) {
        return Scalar{ScalarKind::Boolean, "true"};
    }
    if (is_one_of(text, kFalse)) {
        return Scalar{ScalarKind::Boolean, "false"};
    }
    if (is_one_of(text, kNoJson)) {
        return fail(Code::BadRequest, "infinity and not-a-number have no place in JSON");
    }
    if (text[0] == '.') {
        if (auto number = parse_float(text)) {
            return Scalar{ScalarKind::Float, *std::move(number)};
        }
    } else if (is_digit(text[0]) || text[0] == '-' || text[0] == '+') {
        return resolve_number(text);
    }
    return Scalar{ScalarKind::String, std::string{text}};
}

bool reads_as_string(std::string_view text) {
    const auto resolved = resolve_plain(text);
    if (!resolved || resolved->kind != ScalarKind::String || looks_like_time(text)) {
        return false;
    }
    const auto first = static_cast<unsigned char>(text[0]);
    const bool harmless_start = first >= 0x80 || std::isalnum(first) != 0 || first == '_' ||
                                first == '/' || first == '.' || first == '(';
    if (!harmless_start || text.substr(0, 3) == "..." || text.back() == ' ' || text.back() == ':' ||
        text.find(": ") != text.npos || text.find(" #") != text.npos) {
        return false;
    }
    std::string quoted;
    append_quoted(quoted, text);
    // A byte order mark is no text to YAML.
    return quoted.size() == text.size() + 2 && text.find("\xEF\xBB\xBF") == text.npos;
}

}  // namespace smw::json
