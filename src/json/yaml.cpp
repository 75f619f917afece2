#include "smw/json/yaml.hpp"

#include "json/yaml_tree.hpp"
#include "smw/base/quote.hpp"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_set>

namespace smw::json {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Reads a view without copying it, which std::istringstream cannot before C++20's view() both
/// ways.
class ViewBuffer final : public std::streambuf {
public:
    explicit ViewBuffer(std::string& text) {
        setg(text.data(), text.data(), text.data() + text.size());
    }
};

tl::unexpected<Error> fail_at(std::size_t line, std::string_view reason) {
    return fail(Code::BadRequest, fmt::format("line {}: {}", line, reason));
}

std::size_t line_of(std::string_view text, std::size_t at) {
    return 1 + static_cast<std::size_t>(
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

/// What YAML 1.1 section 5.1 calls not printable; yaml-cpp takes 0x04 for the end of the text.
Expected<void> check_characters(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const std::size_t length = utf8_sequence_length(text.substr(at, 4));
        if (length == 0) {
            return fail_at(line_of(text, at), "is not valid UTF-8");
        }
        if ((byte < 0x20 && kBlanks.find(text[at]) == std::string_view::npos) || byte == 0x7F) {
            return fail_at(line_of(text, at), "has a control character");
        }
        at += length;
    }
    return {};
}

bool has_duplicate_keys(Value value) {
    for (const Value item : value.items()) {
        if (has_duplicate_keys(item)) {
            return true;
        }
    }
    std::unordered_set<std::string_view> keys;
    for (const auto& [key, member] : value.members()) {
        if (!keys.insert(key).second || has_duplicate_keys(member)) {
            return true;
        }
    }
    return false;
}

/// JSON as such, when the text is nothing else: YAML has no surrogate pairs. What is wrong with it
/// otherwise is for the YAML reader to say, which knows the line.
std::optional<YamlDocument> as_json(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos || (text[begin] != '{' && text[begin] != '[')) {
        return std::nullopt;
    }
    const auto document = Document::parse(std::string{text});
    if (!document || has_duplicate_keys(document->root())) {
        return std::nullopt;
    }
    return YamlDocument{Text{document->root().text()}, static_cast<int>(line_of(text, begin))};
}

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
        lines.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return lines;
}

/// yaml-cpp takes what follows a complete document for another one. YAML wants `---` or, before
/// it, `...`. `line` counts from 1.
bool is_marked(const std::vector<std::string_view>& lines, int line) {
    const auto at = std::min(static_cast<std::size_t>(line - 1), lines.size() - 1);
    if (lines[at].substr(0, 3) == "---") {
        return true;
    }
    for (std::size_t above = at; above > 0; --above) {
        const std::string_view content = lines[above - 1];
        const std::size_t first = content.find_first_not_of(kBlanks);
        if (first != std::string_view::npos && content[first] != '#') {
            return content.substr(0, 3) == "...";
        }
    }
    return false;
}

/// What yaml-cpp says, but for the byte that it repeats: that may be half a character, or its own
/// mark of the end.
std::string_view reason_of(const YAML::Exception& error) {
    return error.msg.starts_with(YAML::ErrorMsg::INVALID_ESCAPE) ? "unknown escape character"
                                                                 : std::string_view{error.msg};
}

/// What yaml-cpp says about tabs and about its own end of the text is true and helps nobody.
tl::unexpected<Error> explain(std::string_view text, const YAML::Exception& error) {
    const auto lines = split_lines(text);
    const auto line = static_cast<std::size_t>(std::max(error.mark.line, 0) + 1);
    if (line > lines.size()) {
        const bool is_open = error.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
        return fail_at(std::max<std::size_t>(lines.size(), 1),
                       is_open ? "the text ends inside a quoted string" : reason_of(error));
    }
    const std::string_view content = lines[line - 1];
    const std::string_view blanks = content.substr(0, content.find_first_not_of(kBlanks));
    return fail_at(line, blanks.find('\t') == std::string_view::npos ? reason_of(error)
                                                                     : "tabs cannot indent");
}

Expected<std::vector<YamlDocument>> read_documents(std::string text) {
    std::vector<YamlDocument> documents;
    std::uint64_t size = 0;
    int previous = -1;
    if (text.ends_with('\n')) {
        // Else yaml-cpp takes a quoted scalar without its end for complete.
        text += "...\n";
    }
    const std::vector<std::string_view> lines = split_lines(text);
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (true) {
        YamlTree tree;
        const bool more = parser.HandleNextDocument(tree);
        if (const auto line = tree.line()) {
            // A token that begins no value is not consumed: the same document would come for ever.
            const bool moves = tree.position() > previous;
            if (previous >= 0 && !(moves && is_marked(lines, *line))) {
                return fail_at(static_cast<std::size_t>(*line),
                               "text behind the end of the document");
            }
            previous = tree.position();
            size += tree.size();
            if (size > kMaxExpandedBytes) {
                return fail_at(static_cast<std::size_t>(*line),
                               "aliases expand to more than 64 MiB");
            }
            if (tree.size() != 0) {
                documents.push_back({Text{tree.json()}, *line});
            }
        }
        if (!more) {
            return documents;
        }
    }
}

}  // namespace

Expected<std::vector<YamlDocument>> parse_yaml(std::string_view text) {
    if (auto document = as_json(text)) {
        return std::vector<YamlDocument>{*std::move(document)};
    }
    if (auto checked = check_characters(text); !checked) {
        return tl::unexpected<Error>(std::move(checked).error());
    }
    try {
        return read_documents(std::string{text});
    } catch (const YamlRefused& refused) {
        return fail_at(static_cast<std::size_t>(refused.line), refused.reason);
    } catch (const YAML::DeepRecursion& deep) {
        return fail_at(static_cast<std::size_t>(deep.mark.line) + 1, "is nested too deep");
    } catch (const YAML::Exception& error) {
        return explain(text, error);
    }
}

std::string_view yaml_name(Kind kind) {
    switch (kind) {
        case Kind::Null:
            return "null";
        case Kind::Boolean:
            return "a boolean";
        case Kind::Number:
            return "a number";
        case Kind::String:
            return "text";
        case Kind::Array:
            return "a list";
        case Kind::Object:
            return "a mapping";
    }
    return "";
}

}  // namespace smw::json
