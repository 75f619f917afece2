#pragma once
// From the arguments of the process to one subcommand and its options.

#include "cli/command.hpp"

namespace smw::cli {

struct Arguments {
    std::vector<std::string> words;  ///< without the program
    app::EnvironmentVariables environment;
};

/// Runs the subcommand that the first word names, else the first of `commands`. The exit status: 2
/// after errors in the arguments, all of them printed a line each.
[[nodiscard]] int dispatch(const Arguments& arguments, const Commands& commands, Console& console);

}  // namespace smw::cli
