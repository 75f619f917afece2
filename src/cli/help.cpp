#include "cli/help.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

namespace smw::cli {
namespace {

constexpr std::string_view kThreeWays =
    "Each option is a flag, an environment variable (SMW_WEBHOOK_PORT for\n"
    "--webhook-port) and a key in the file of --config (webhookPort). The flag beats\n"
    "the variable, the variable beats the file.\n";

std::string usage(const Command& command) {
    std::string line = fmt::format("Usage: {} {}", kProgram, command.name());
    if (!command.operands().empty()) {
        line += fmt::format(" {}", command.operands());
    }
    return line + " [flags]\n";
}

std::string list_entry(const Command& command) {
    return fmt::format("  {:<14} {}", command.name(), command.summary());
}

class Help final : public Command {
public:
    [[nodiscard]] std::string_view name() const override { return "help"; }
    [[nodiscard]] std::string_view operands() const override { return "[COMMAND]"; }
    [[nodiscard]] std::string_view summary() const override {
        return "Say what a command does and which flags it has";
    }

    [[nodiscard]] int run(const Call& call) override {
        const auto& asked = call.configured.operands;
        if (asked.empty()) {
            call.console.out << overview(call.commands, call.console.columns);
            return 0;
        }
        const auto wanted = fmt::format("{}", fmt::join(asked, " "));
        auto* command = find_command(call.commands, wanted);
        if (const auto group = find_group(call.commands, wanted); !group.empty()) {
            call.console.out << group_help(wanted, group);
            return 0;
        }
        if (command == nullptr) {
            report(call.console, no_such_command(call.commands, wanted));
            return kBadUsage;
        }
        call.console.out << command_help(*command, call.console.columns);
        return 0;
    }
};

}  // namespace

std::string overview(const Commands& commands, std::size_t columns) {
    auto& first = *commands.front();
    std::string out = fmt::format(
        "{0} gives the pods of Jobs the checkpoint images of their\n"
        "CheckpointBackup when they are created again: a Kubernetes admission webhook.\n\n"
        "Usage: {0} [{1}] [flags]\n"
        "       {0} COMMAND [flags]\n\nCommands:\n",
        kProgram, first.name());
    for (const auto& command : commands) {
        out += fmt::format("{}{}\n", list_entry(*command),
                           command.get() == &first ? " (the default)" : "");
    }
    out += fmt::format("\nFlags of {}:\n\n{}\n{}", first.name(),
                       app::describe_options(first.options(), columns), kThreeWays);
    return out;
}

std::string group_help(std::string_view word, const std::vector<Command*>& group) {
    std::string out = fmt::format("Usage: {} {} COMMAND [flags]\n\nCommands:\n", kProgram, word);
    for (const auto* command : group) {
        out += list_entry(*command) + '\n';
    }
    return out + fmt::format("\nEach says more: {} {} --help\n", kProgram, group.front()->name());
}

std::string command_help(Command& command, std::size_t columns) {
    std::string out = fmt::format("{}.\n\n{}", command.summary(), usage(command));
    if (!command.about().empty()) {
        out += fmt::format("\n{}", command.about());
    }
    const auto options = command.options();
    if (!options.empty()) {
        out += fmt::format("\n{}\n{}", app::describe_options(options, columns), kThreeWays);
    }
    return out;
}

std::unique_ptr<Command> make_help() {
    return std::make_unique<Help>();
}

}  // namespace smw::cli
