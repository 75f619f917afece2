#include "cli/commands.hpp"
#include "cli/dispatch.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <unistd.h>

int main(int argc, char** argv) {
    using namespace smw;
    cli::Console console{std::cin, std::cout, std::cerr};
    try {
        cli::Arguments arguments{{argv + std::min(argc, 1), argv + argc},
                                 cli::read_environment_block(environ)};
        console.columns = cli::columns_of(STDOUT_FILENO, arguments.environment);
        console.shows_colours = cli::shows_colours(STDOUT_FILENO, arguments.environment);
        const auto commands = cli::all_commands();
        const int status = cli::dispatch(arguments, commands, console);
        if (!std::cout.flush()) {
            cli::report(console, "standard output cannot be written");
            return cli::kFailed;
        }
        return status;
    } catch (const std::exception& error) {
        cli::report(console, error.what());
        return cli::kFailed;
    }
}
