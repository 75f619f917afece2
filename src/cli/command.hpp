#pragma once
// A subcommand: what it is called, which options it has, what it does. One file each. Main thread.

#include "smw/app/command_line.hpp"

#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace smw::cli {

inline constexpr std::string_view kProgram = "stateful-migration-webhook";

/// Exit statuses beside 0; `review` has one of its own.
inline constexpr int kFailed = 1;
inline constexpr int kBadUsage = 2;

/// Where a command reads and writes. The streams outlive it.
struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    std::size_t columns = 80;
    bool shows_colours = false;  ///< `out` is a terminal, and nobody asked for plain text
};

class Command;
using Commands = std::vector<std::unique_ptr<Command>>;

/// What a command is run with: all of them, so that `help` can list them.
struct Call {
    const Commands& commands;
    const app::Configured& configured;
    Console& console;
};

class Command {
public:
    Command() = default;
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    virtual ~Command() = default;

    /// A word, or two: "certs inspect".
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// As in the usage line: "[FILE...]"; empty when there are none.
    [[nodiscard]] virtual std::string_view operands() const { return {}; }
    /// One line in the list of commands, without a full stop.
    [[nodiscard]] virtual std::string_view summary() const = 0;
    /// Further sentences for its own --help; lines end where they are broken here.
    [[nodiscard]] virtual std::string_view about() const { return {}; }
    /// Rows that set this command's own settings.
    [[nodiscard]] virtual Options options() { return {}; }
    /// What is wrong with the options as a whole, a line each. Called once, before run().
    [[nodiscard]] virtual std::vector<std::string> check(const app::Configured& configured) {
        static_cast<void>(configured);
        return {};
    }
    /// The exit status.
    [[nodiscard]] virtual int run(const Call& call) = 0;
};

/// The command of that name; nullptr when there is none.
[[nodiscard]] Command* find_command(const Commands& commands, std::string_view name);
/// Those whose name begins with this word and has another: "certs".
[[nodiscard]] std::vector<Command*> find_group(const Commands& commands, std::string_view word);
/// "there is no command "reveiw"; did you mean review?"
[[nodiscard]] std::string no_such_command(const Commands& commands, std::string_view name);

/// `stateful-migration-webhook: <error>` on the console's err, one line whatever the error holds.
void report(Console& console, std::string_view error);

/// Text from anywhere for a terminal: what is no printable UTF-8 is escaped as in JSON.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace smw::cli
