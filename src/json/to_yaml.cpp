// JSON as block-style YAML, in the shape of `kubectl get -o yaml`.

#include "json/yaml_scalar.hpp"
#include "smw/base/quote.hpp"
#include "smw/json/document.hpp"
#include "smw/json/yaml.hpp"

#include <algorithm>
#include <unordered_set>

namespace smw::json {
namespace {

/// Longer keys need the form with `?`: a simple key ends within 1,024 characters (YAML 1.1, 7.3).
constexpr std::size_t kMaxSimpleKey = 1000;

/// A string on one line. Single quotes when that spares escapes.
std::string flow_string(std::string_view text) {
    if (reads_as_string(text)) {
        return std::string{text};
    }
    std::string quoted;
    append_quoted(quoted, text);
    const auto escapes =
        std::count_if(text.begin(), text.end(), [](char c) { return c == '"' || c == '\\'; });
    const bool only_those = quoted.size() == text.size() + 2 + static_cast<std::size_t>(escapes);
    if (escapes == 0 || !only_those) {
        return quoted;
    }
    std::string single = "'";
    for (const char character : text) {
        single += character;
        if (character == '\'') {
            single += '\'';
        }
    }
    return single + "'";
}

/// Whether `text` can be a literal block: several lines of plain characters, none of them only
/// blanks, the first not indented, at most one newline at the end.
bool fits_literal(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || text[0] == ' ' || text[0] == '\n' ||
        text.substr(text.size() - 1) == " " ||
        (text.size() > 1 && text.substr(text.size() - 2) == "\n\n")) {
        return false;
    }
    std::string flat{text};
    std::replace(flat.begin(), flat.end(), '\n', 'x');
    flat.erase(
        std::remove_if(flat.begin(), flat.end(), [](char c) { return c == '"' || c == '\\'; }),
        flat.end());
    std::string quoted;
    append_quoted(quoted, flat);
    return quoted.size() == flat.size() + 2 && text.find("\n ") == std::string_view::npos &&
           text.find("\xEF\xBB\xBF") == std::string_view::npos;
}

class BlockWriter {
public:
    explicit BlockWriter(std::string& out) : out_(out) {}

    /// A value on lines of its own, `depth` blanks in. The first line is already indented.
    void lines(Value value, std::size_t depth) {
        if (value.is_object() && value.size() != 0) {
            mapping(value, depth);
        } else if (value.is_array() && value.size() != 0) {
            sequence(value, depth);
        } else {
            scalar(value, depth);
        }
    }

private:
    void indent(std::size_t depth) { out_.append(depth, ' '); }

    /// With the newline behind it. `depth` is where the lines of a literal block go.
    void scalar(Value value, std::size_t depth) {
        const auto text = value.string();
        if (!text) {
            out_ += value.is_object() ? "{}" : value.text();
        } else if (fits_literal(*text)) {
            literal(*text, std::max<std::size_t>(depth, 2));
            return;
        } else {
            out_ += flow_string(*text);
        }
        out_ += '\n';
    }

    void literal(std::string_view text, std::size_t depth) {
        const bool ends_line = text.back() == '\n';
        out_ += ends_line ? "|\n" : "|-\n";
        text.remove_suffix(ends_line ? 1 : 0);
        while (true) {
            const std::size_t end = text.find('\n');
            const std::string_view line = text.substr(0, end);
            indent(line.empty() ? 0 : depth);
            out_ += line;
            out_ += '\n';
            if (end == std::string_view::npos) {
                return;
            }
            text.remove_prefix(end + 1);
        }
    }

    void sequence(Value value, std::size_t depth) {
        bool is_first = true;
        for (const Value item : value.items()) {
            indent(is_first ? 0 : depth);
            is_first = false;
            out_ += "- ";
            lines(item, depth + 2);
        }
    }

    /// Of duplicate keys the first counts, as everywhere in this room.
    void mapping(Value value, std::size_t depth) {
        std::unordered_set<std::string_view> seen;
        for (const auto& [key, member] : value.members()) {
            if (!seen.insert(key).second) {
                continue;
            }
            indent(seen.size() == 1 ? 0 : depth);
            const std::string name = flow_string(key);
            if (name.size() > kMaxSimpleKey) {
                out_ += "? " + name + "\n";
                indent(depth);
                out_ += ": ";
                lines(member, depth + 2);
                continue;
            }
            out_ += name + ":";
            value_of_key(member, depth);
        }
    }

    void value_of_key(Value member, std::size_t depth) {
        if (member.size() == 0) {
            out_ += ' ';
            scalar(member, depth + 2);
            return;
        }
        // kubectl does not indent the list of a key further than the key.
        const std::size_t deeper = member.is_array() ? depth : depth + 2;
        out_ += '\n';
        indent(deeper);
        lines(member, deeper);
    }

    std::string& out_;
};

}  // namespace

Expected<std::string> to_yaml(const Text& text) {
    const auto document = Document::parse(text.json);
    if (!document) {
        return annotate(document.error(), "writing JSON as YAML");
    }
    std::string out;
    BlockWriter(out).lines(document->root(), 0);
    return out;
}

}  // namespace smw::json
