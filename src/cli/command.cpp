#include "cli/command.hpp"

#include "smw/app/nearest.hpp"
#include "smw/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace smw::cli {

Command* find_command(const Commands& commands, std::string_view name) {
    const auto found = std::ranges::find_if(
        commands, [&](const auto& command) { return command->name() == name; });
    return found == commands.end() ? nullptr : found->get();
}

std::vector<Command*> find_group(const Commands& commands, std::string_view word) {
    std::vector<Command*> group;
    for (const auto& command : commands) {
        const auto name = command->name();
        if (name.size() > word.size() && name.starts_with(word) && name[word.size()] == ' ') {
            group.push_back(command.get());
        }
    }
    return group;
}

std::string no_such_command(const Commands& commands, std::string_view name) {
    std::vector<std::string> names;
    for (const auto& command : commands) {
        names.emplace_back(command->name());
    }
    return fmt::format("there is no command \"{}\"{}", name, app::did_you_mean(name, names));
}

void report(Console& console, std::string_view error) {
    console.err << kProgram << ": " << printable(error) << '\n';
}

std::string printable(std::string_view text) {
    std::string quoted;
    append_quoted(quoted, text);
    std::string out;
    out.reserve(quoted.size());
    for (std::size_t at = 1; at + 1 < quoted.size(); ++at) {
        const bool needless =
            quoted[at] == '\\' && (quoted[at + 1] == '"' || quoted[at + 1] == '\\');
        if (needless) {
            ++at;
        }
        out += quoted[at];
    }
    return out;
}

}  // namespace smw::cli
