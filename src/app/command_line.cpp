#include "smw/app/command_line.hpp"

#include "app/config_file.hpp"
#include "app/environment.hpp"
#include "app/flags.hpp"
#include "app/option_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace smw::app {
namespace {

void append(std::vector<std::string>& errors, std::vector<std::string> more) {
    errors.insert(errors.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

/// What Go's strconv.ParseBool takes, as true or false; anything else as it is.
std::string_view plain_bool(std::string_view text) {
    constexpr std::array<std::string_view, 5> kTrue = {"1", "t", "T", "TRUE", "True"};
    constexpr std::array<std::string_view, 5> kFalse = {"0", "f", "F", "FALSE", "False"};
    if (std::ranges::find(kTrue, text) != kTrue.end()) {
        return "true";
    }
    return std::ranges::find(kFalse, text) != kFalse.end() ? "false" : text;
}

void apply(const Options& options, const GivenValues& values, Configured& configured) {
    for (const auto& [index, value] : values) {
        const Option& option = options[index];
        const std::string_view text = is_bool(option) ? plain_bool(value.text) : value.text;
        configured.given.push_back(option.name);
        if (const auto set = option.set(text); !set) {
            configured.errors.push_back(fmt::format("--{}: {} {} (from {})", option.name,
                                                    quoted(value.text), set.error().message,
                                                    value.origin));
        }
    }
}

/// `values` wins over what comes later.
void complete(GivenValues& values, Reading later, std::vector<std::string>& errors) {
    values.merge(later.values);
    append(errors, std::move(later.errors));
}

}  // namespace

Option config_option() {
    return {std::string{kConfigName},
            "Configuration",
            "file",
            "",
            "Read options from this YAML file: a flat map with camelCase keys (webhookPort: 9443).",
            [](std::string_view) -> Expected<void> {
                return {};
            }};
}

Configured configure(const Options& options, const Invocation& invocation) {
    auto flags = read_flags(options, invocation.arguments);
    Configured configured;
    configured.operands = std::move(flags.operands);
    if (flags.help) {
        configured.help = true;
        return configured;
    }
    configured.environment = invocation.environment;
    auto values = std::move(flags.reading.values);
    configured.errors = std::move(flags.reading.errors);
    complete(values, read_environment(options, invocation), configured.errors);
    if (const auto config = find_option(options, kConfigName)) {
        const auto given = values.find(*config);
        if (given != values.end() && !given->second.text.empty()) {
            complete(values, read_config_file(options, invocation.other_names, given->second),
                     configured.errors);
        }
    }
    apply(options, values, configured);
    return configured;
}

}  // namespace smw::app
