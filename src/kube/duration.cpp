// Go durations, as time.ParseDuration of Go 1.26 reads them, down to its rounding. Any thread.

#include "kube/ascii.hpp"
#include "smw/kube/meta.hpp"

#include <array>
#include <limits>

namespace smw::kube {
namespace {

// The magnitude of the smallest int64: a negative duration may reach it.
constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;

struct Unit {
    std::string_view name;
    std::uint64_t nanoseconds;
};

constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\u00b5s", 1'000},  // micro sign
                                      {"\u03bcs", 1'000},  // Greek letter mu
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

std::string_view take_digits(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && ascii::is_digit(text[length])) {
        ++length;
    }
    const auto digits = text.substr(0, length);
    text.remove_prefix(length);
    return digits;
}

std::optional<Unit> take_unit(std::string_view& text) {
    const auto end = std::min(text.find_first_of(".0123456789"), text.size());
    const auto name = text.substr(0, end);
    text.remove_prefix(end);
    for (const auto& unit : kUnits) {
        if (unit.name == name) {
            return unit;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> whole(std::string_view digits) {
    std::uint64_t number = 0;
    for (const char digit : digits) {
        if (number > kLimit / 10) {
            return std::nullopt;
        }
        number = number * 10 + static_cast<std::uint64_t>(digit - '0');
        if (number > kLimit) {
            return std::nullopt;
        }
    }
    return number;
}

/// Digits behind the point, in nanoseconds and rounded down. Digits that no longer fit into 63 bits
/// are left out.
std::uint64_t fraction(std::string_view digits, std::uint64_t unit) {
    std::uint64_t number = 0;
    double scale = 1;
    for (const char digit : digits) {
        if (number > (kLimit - 1) / 10) {
            break;
        }
        const auto next = number * 10 + static_cast<std::uint64_t>(digit - '0');
        if (next > kLimit) {
            break;
        }
        number = next;
        scale *= 10;
    }
    // In this order, for the same rounding as the original.
    return static_cast<std::uint64_t>(static_cast<double>(number) *
                                      (static_cast<double>(unit) / scale));
}

/// One number with its unit: "1.5h".
std::optional<std::uint64_t> take_term(std::string_view& text) {
    const auto before = take_digits(text);
    std::string_view behind;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        behind = take_digits(text);
    }
    const auto number = whole(before);
    const auto unit = take_unit(text);
    if ((before.empty() && behind.empty()) || !number || !unit ||
        *number > kLimit / unit->nanoseconds) {
        return std::nullopt;
    }
    const auto sum = *number * unit->nanoseconds + fraction(behind, unit->nanoseconds);
    return sum > kLimit ? std::nullopt : std::optional{sum};
}

std::optional<std::chrono::nanoseconds> signed_nanoseconds(std::uint64_t magnitude, bool negative) {
    if (negative) {
        return std::chrono::nanoseconds{static_cast<std::int64_t>(0 - magnitude)};
    }
    if (magnitude >= kLimit) {
        return std::nullopt;
    }
    return std::chrono::nanoseconds{static_cast<std::int64_t>(magnitude)};
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text == "0") {
        return std::chrono::nanoseconds::zero();
    }
    if (text.empty()) {
        return std::nullopt;
    }
    std::uint64_t sum = 0;
    while (!text.empty()) {
        const auto term = take_term(text);
        if (!term) {
            return std::nullopt;
        }
        sum += *term;
        if (sum > kLimit) {
            return std::nullopt;
        }
    }
    return signed_nanoseconds(sum, negative);
}

}  // namespace smw::kube
