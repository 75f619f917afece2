#include "cli/dispatch.hpp"

#include "cli/help.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <ostream>

namespace smw::cli {
namespace {

std::vector<std::string> names_of_others(const Commands& commands, const Command& chosen) {
    std::vector<std::string> names;
    for (const auto& command : commands) {
        if (command.get() != &chosen) {
            for (const auto& option : command->options()) {
                names.push_back(option.name);
            }
        }
    }
    return names;
}

/// The command that the words name, which loses its name; nullptr when there is none of that name.
Command* choose(const Commands& commands, std::vector<std::string>& words) {
    if (words.empty() || words.front().starts_with('-')) {
        const bool version = !words.empty() && words.front() == "--version";
        if (!version) {
            return commands.front().get();
        }
        words.front() = "version";
    }
    auto* command = words.size() > 1 ? find_command(commands, words[0] + ' ' + words[1]) : nullptr;
    const std::ptrdiff_t length = command != nullptr ? 2 : 1;
    command = command != nullptr ? command : find_command(commands, words.front());
    if (command != nullptr) {
        words.erase(words.begin(), words.begin() + length);
    }
    return command;
}

bool is_help(std::string_view word) {
    return word == "--help" || word == "-help" || word == "-h";
}

/// There is no command of that name, but there may be some that begin with it.
int tell_unknown(const std::vector<std::string>& words, const Commands& commands,
                 Console& console) {
    const auto group = find_group(commands, words.front());
    if (group.empty()) {
        report(console, no_such_command(commands, words.front()));
        return kBadUsage;
    }
    if (words.size() > 1 && is_help(words[1])) {
        console.out << group_help(words.front(), group);
        return 0;
    }
    if (words.size() > 1 && !words[1].starts_with('-')) {
        report(console, no_such_command(commands, words[0] + ' ' + words[1]));
    } else {
        std::string names;
        for (const auto* command : group) {
            names += fmt::format("{}{}", names.empty() ? "" : ", ", command->name());
        }
        report(console, fmt::format("{} needs one of its commands: {}", words.front(), names));
    }
    return kBadUsage;
}

}  // namespace

int dispatch(const Arguments& arguments, const Commands& commands, Console& console) {
    auto words = arguments.words;
    const bool named = !words.empty() && !words.front().starts_with('-');
    auto* command = choose(commands, words);
    if (command == nullptr) {
        return tell_unknown(words, commands, console);
    }
    const auto options = command->options();
    // A mistyped variable is no reason to keep quiet about the version.
    const auto environment = options.empty() ? app::EnvironmentVariables{} : arguments.environment;
    const auto configured = app::configure(
        options, {std::move(words), environment, names_of_others(commands, *command)});
    if (configured.help) {
        console.out << (named ? command_help(*command, console.columns)
                              : overview(commands, console.columns));
        return 0;
    }
    auto errors = configured.errors;
    if (command->operands().empty() && !configured.operands.empty()) {
        errors.push_back(fmt::format("unexpected argument \"{}\"", configured.operands.front()));
    }
    for (auto& error : command->check(configured)) {
        errors.push_back(std::move(error));
    }
    for (const auto& error : errors) {
        report(console, error);
    }
    return errors.empty() ? command->run({commands, configured, console}) : kBadUsage;
}

}  // namespace smw::cli
