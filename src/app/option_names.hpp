#pragma once
// The three names of a row, and finding a row by one of them. Pure.

#include "smw/app/command_line.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::app {

inline constexpr std::string_view kConfigName = "config";

/// "SMW_WEBHOOK_PORT" of "webhook-port".
[[nodiscard]] std::string variable_name(std::string_view name);
/// "webhookPort" of "webhook-port".
[[nodiscard]] std::string key_name(std::string_view name);
/// One letter means the same in every command, as in kubectl: "o" of "output". Empty: none.
[[nodiscard]] std::string_view letter_of(std::string_view name);
/// "--name FOLDER", "-o, --output text|json" as in --help; a bool has no placeholder.
[[nodiscard]] std::string flag_with_placeholder(const Option& option);

[[nodiscard]] bool is_bool(const Option& option);
/// Only these may be YAML lists.
[[nodiscard]] bool is_list(const Option& option);

/// The index of the row with that name.
[[nodiscard]] std::optional<std::size_t> find_option(const Options& options, std::string_view name);

/// All names of a table in one spelling, for suggestions.
[[nodiscard]] std::vector<std::string> names_of(const Options& options,
                                                std::string (*spell)(std::string_view));

/// A value as it was given, and where.
struct GivenValue {
    std::string text;
    std::string origin;  ///< "the command line", "SMW_WEBHOOK_PORT", "webhookPort in smw.yaml:3"
};

/// By index into the table: setters are called in its order.
using GivenValues = std::map<std::size_t, GivenValue>;

/// What one way of giving values gave.
struct Reading {
    GivenValues values;
    std::vector<std::string> errors;
};

/// As JSON would quote it, cut so that an error stays a line.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace smw::app
