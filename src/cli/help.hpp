#pragma once
// What --help and `help` print. Pure.

#include "cli/command.hpp"

namespace smw::cli {

/// What the program is, its commands, and the options of the first of them, which is the default.
[[nodiscard]] std::string overview(const Commands& commands, std::size_t columns);
/// The commands that begin with a word, a line each.
[[nodiscard]] std::string group_help(std::string_view word, const std::vector<Command*>& group);
/// One command: usage, what it does, its options.
[[nodiscard]] std::string command_help(Command& command, std::size_t columns);

/// `help [COMMAND]`
[[nodiscard]] std::unique_ptr<Command> make_help();

}  // namespace smw::cli
