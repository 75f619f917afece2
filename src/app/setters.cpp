// What the rows of the option table do with the text that they are given.

#include "smw/app/command_line.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace smw::app {
namespace {

constexpr std::chrono::hours kLongestDuration{24 * 365};

/// Decimal digits only: no sign, no blanks, nothing behind.
std::optional<std::uint64_t> read_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return number;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::size_t> read_bytes(std::string_view text) {
    unsigned shift = 0;
    for (const auto& [suffix, bits] :
         {std::pair<std::string_view, unsigned>{"Ki", 10U}, {"Mi", 20U}, {"Gi", 30U}}) {
        if (text.ends_with(suffix)) {
            text.remove_suffix(suffix.size());
            shift = bits;
            break;
        }
    }
    const auto number = read_number(text);
    if (!number || *number == 0 || *number > std::numeric_limits<std::size_t>::max() >> shift) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(*number) << shift;
}

}  // namespace

Set set_string(std::string& target) {
    return [&target](std::string_view text) -> Expected<void> {
        target = text;
        return {};
    };
}

Set set_bool(bool& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (text != "true" && text != "false") {
            return fail(Code::BadRequest, "must be true or false");
        }
        target = text == "true";
        return {};
    };
}

Set set_port(std::uint16_t& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto number = read_number(text);
        if (!number || *number > std::numeric_limits<std::uint16_t>::max()) {
            return fail(Code::BadRequest, "must be a number from 0 to 65535");
        }
        target = static_cast<std::uint16_t>(*number);
        return {};
    };
}

Set set_count(std::size_t& target, std::size_t least, std::size_t most) {
    return [&target, least, most](std::string_view text) -> Expected<void> {
        const auto number = read_number(text);
        if (!number || *number < least || *number > most) {
            const auto range = most == kNoBound ? fmt::format("from {} on", least)
                                                : fmt::format("from {} to {}", least, most);
            return fail(Code::BadRequest, fmt::format("must be a whole number {}", range));
        }
        target = static_cast<std::size_t>(*number);
        return {};
    };
}

Set set_bytes(std::size_t& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto bytes = read_bytes(text);
        if (!bytes) {
            return fail(Code::BadRequest, "must be a number of bytes such as 65536, 512Ki or 8Mi");
        }
        target = *bytes;
        return {};
    };
}

Set set_duration(std::chrono::steady_clock::duration& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto duration = kube::parse_duration(text);
        if (!duration) {
            return fail(Code::BadRequest, "must be a duration such as 15s or 1m30s");
        }
        if (*duration < std::chrono::nanoseconds::zero()) {
            return fail(Code::BadRequest, "must not be negative");
        }
        if (*duration > kLongestDuration) {
            return fail(Code::BadRequest, "must be 8760h (a year) at most");
        }
        target = *duration;
        return {};
    };
}

Set set_list(std::vector<std::string>& target) {
    return [&target](std::string_view text) -> Expected<void> {
        std::vector<std::string> entries;
        for (std::size_t start = 0; !text.empty() && start <= text.size();) {
            const auto comma = std::min(text.find(',', start), text.size());
            const auto entry = trim(text.substr(start, comma - start));
            if (entry.empty()) {
                return fail(Code::BadRequest, "must be a comma list without empty entries");
            }
            entries.emplace_back(entry);
            start = comma + 1;
        }
        target = std::move(entries);
        return {};
    };
}

}  // namespace smw::app
