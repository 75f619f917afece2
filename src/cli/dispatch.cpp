#include "cli/dispatch.hpp"

#include "cli/help.hpp"

#include <fmt/format.h>

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
    auto* command = find_command(commands, words.front());
    if (command != nullptr) {
        words.erase(words.begin());
    }
    return command;
}

}  // namespace

int dispatch(const Arguments& arguments, const Commands& commands, Console& console) {
    auto words = arguments.words;
    const bool named = !words.empty() && !words.front().starts_with('-');
    auto* command = choose(commands, words);
    if (command == nullptr) {
        report(console, no_such_command(commands, words.front()));
        return kBadUsage;
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
