#include "app/option_names.hpp"

#include "smw/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace smw::app {
namespace {

char upper(char letter) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
}

std::string upper(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char letter) { return upper(letter); });
    return out;
}

}  // namespace

std::string variable_name(std::string_view name) {
    std::string out = "SMW_" + upper(name);
    std::ranges::replace(out, '-', '_');
    return out;
}

std::string key_name(std::string_view name) {
    std::string out;
    bool word_begins = false;
    for (const char letter : name) {
        if (letter == '-') {
            word_begins = true;
            continue;
        }
        out += word_begins ? upper(letter) : letter;
        word_begins = false;
    }
    return out;
}

std::string_view letter_of(std::string_view name) {
    return name == "output" ? "o" : std::string_view{};
}

std::string flag_with_placeholder(const Option& option) {
    std::string out;
    if (const auto letter = letter_of(option.name); !letter.empty()) {
        out = fmt::format("-{}, ", letter);
    }
    out += "--" + option.name;
    if (is_bool(option)) {
        return out;
    }
    const bool is_choice = option.type.find('|') != std::string::npos;
    return out + ' ' + (is_choice ? option.type : upper(option.type));
}

bool is_bool(const Option& option) {
    return option.type == "bool";
}

bool is_list(const Option& option) {
    return option.type == "list";
}

std::optional<std::size_t> find_option(const Options& options, std::string_view name) {
    const auto found = std::ranges::find(options, name, &Option::name);
    if (found == options.end()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - options.begin());
}

std::vector<std::string> names_of(const Options& options, std::string (*spell)(std::string_view)) {
    std::vector<std::string> names;
    names.reserve(options.size());
    for (const auto& option : options) {
        names.push_back(spell(option.name));
    }
    return names;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kLongest = 100;
    std::string out;
    if (text.size() <= kLongest) {
        append_quoted(out, text);
        return out;
    }
    auto cut = kLongest;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) {
        --cut;  // never in the middle of a UTF-8 sequence
    }
    append_quoted(out, text.substr(0, cut));
    return out + "...";
}

}  // namespace smw::app
