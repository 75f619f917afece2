// The option table as text: --help and docs/reference.md.

#include "app/option_names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::app {
namespace {

/// Code points, which is what a terminal shows for the few that option texts have.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines(1);
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        auto& line = lines.back();
        if (line.empty()) {
            line = word;
        } else if (width_of(line) + 1 + width_of(word) <= width) {
            line.append(" ").append(word);
        } else {
            lines.emplace_back(word);
        }
    }
    return lines;
}

bool has_default(const Option& option) {
    return !option.initial.empty() && !(is_bool(option) && option.initial == "false");
}

/// "Shape of the lines on stderr (default text)".
std::string meaning(const Option& option) {
    std::string text = option.text;
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return has_default(option) ? fmt::format("{} (default {})", text, option.initial) : text;
}

void append_row(std::string& out, const Option& option, std::size_t columns) {
    const std::size_t indent = std::clamp<std::size_t>(columns * 2 / 5, 28, 40);
    const std::size_t width = std::max<std::size_t>(columns, indent + 20) - indent;
    const std::string flag = "  " + flag_with_placeholder(option);
    out += flag;
    // Two blanks at least between the columns; a longer flag has a line of its own.
    std::size_t at = width_of(flag);
    if (at + 2 > indent) {
        out += '\n';
        at = 0;
    }
    for (const auto& line : wrap(meaning(option), width)) {
        out.append(indent - at, ' ').append(line).append("\n");
        at = 0;
    }
}

/// In the order in which the table names them first.
std::vector<std::string> groups_of(const Options& options) {
    std::vector<std::string> groups;
    for (const auto& option : options) {
        if (std::ranges::find(groups, option.group) == groups.end()) {
            groups.push_back(option.group);
        }
    }
    return groups;
}

/// `visit(option)` for the rows of a group, in the order of the table.
template <class Visit>
void for_each_in(const Options& options, const std::string& group, Visit visit) {
    for (const auto& option : options) {
        if (option.group == group) {
            visit(option);
        }
    }
}

/// A `|` ends a table's cell, in code spans too.
std::string cell(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        out += letter == '|' ? "\\|" : std::string{letter};
    }
    return out;
}

std::string code(std::string_view text) {
    return text.empty() ? "–" : fmt::format("`{}`", cell(text));
}

}  // namespace

std::string describe_options(const Options& options, std::size_t columns) {
    std::string out;
    for (const auto& group : groups_of(options)) {
        out += out.empty() ? "" : "\n";
        out += group + ":\n";
        for_each_in(options, group,
                    [&](const Option& option) { append_row(out, option, columns); });
    }
    return out;
}

std::string reference_page(const Options& options) {
    std::string out;
    for (const auto& group : groups_of(options)) {
        out += out.empty() ? "" : "\n";
        out += fmt::format(
            "### {}\n\n| flag | environment variable | key | default | meaning |\n"
            "|---|---|---|---|---|\n",
            group);
        for_each_in(options, group, [&](const Option& option) {
            const bool in_file = option.name != kConfigName;
            out += fmt::format("| {} | {} | {} | {} | {} |\n", code(flag_with_placeholder(option)),
                               code(variable_name(option.name)),
                               code(in_file ? key_name(option.name) : ""), code(option.initial),
                               cell(option.text));
        });
    }
    return out;
}

}  // namespace smw::app
