#include "cli/input_documents.hpp"

#include "smw/json/document.hpp"
#include "smw/json/yaml.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace smw::cli {
namespace {

using Lines = std::vector<std::string_view>;

Lines split_lines(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return lines;
}

/// `---` in the first column ends even a block scalar (YAML 1.1, 4.3.1).
bool is_marker(std::string_view line) {
    constexpr std::string_view kBehind = " \t\r\n";
    return line.starts_with("---") &&
           (line.size() == 3 || kBehind.find(line[3]) != std::string_view::npos);
}

/// Neither blank nor a comment; a marker only with something behind it.
bool has_content(std::string_view line) {
    if (is_marker(line)) {
        line.remove_prefix(3);
    }
    const auto first = line.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && line[first] != '#';
}

/// parse_yaml() says "line 7: reason".
struct LineAndReason {
    std::size_t line = 1;
    std::string_view reason;
};

LineAndReason take_apart(std::string_view message) {
    constexpr std::string_view kLine = "line ";
    LineAndReason out{1, message};
    if (!message.starts_with(kLine)) {
        return out;
    }
    message.remove_prefix(kLine.size());
    const auto* end = message.data() + message.size();
    const auto [stop, error] = std::from_chars(message.data(), end, out.line);
    message.remove_prefix(static_cast<std::size_t>(stop - message.data()));
    if (error == std::errc{} && message.starts_with(": ")) {
        out.reason = message.substr(2);
    }
    return out;
}

class DocumentReader {
public:
    DocumentReader(const std::string& file, std::string_view text)
        : file_(file), text_(text), lines_(split_lines(text)) {}

    std::vector<InputDocument> read() && {
        if (const auto documents = json::parse_yaml(text_)) {
            take(*documents, 0);
        } else {
            read_parts();
        }
        return std::move(out_);
    }

private:
    /// One document after the other, so that a broken one takes no other along.
    void read_parts() {
        for (std::size_t first = 0; first < lines_.size();) {
            std::string part{lines_[first]};
            auto next = first + 1;
            for (; next < lines_.size() && !is_marker(lines_[next]); ++next) {
                part += lines_[next];
            }
            if (const auto documents = json::parse_yaml(part)) {
                take(*documents, first);
            } else {
                const auto error = take_apart(documents.error().message);
                out_.push_back({place_of(first + error.line),
                                fail(Code::BadRequest, std::string{error.reason})});
            }
            first = next;
        }
    }

    /// `above`: lines above the text that was parsed.
    void take(const std::vector<json::YamlDocument>& documents, std::size_t above) {
        for (const auto& document : documents) {
            auto line = above + static_cast<std::size_t>(document.line);
            while (line < lines_.size() && !has_content(lines_[line - 1])) {
                ++line;  // from a marker to where the document begins for a person
            }
            take(place_of(line), document.json);
        }
    }

    void take(const Place& place, const json::Text& text) {
        const auto document = json::Document::parse(text.json);
        if (!document) {
            out_.push_back({place, tl::unexpected(document.error())});
            return;
        }
        const auto root = document->root();
        const auto kind = root.find("kind");
        const auto items = root.find("items");
        if (!kind || kind->string() != "List" || !items || !items->is_array()) {
            out_.push_back({place, text});
            return;
        }
        for (const json::Value item : items->items()) {
            out_.push_back({place, json::Text{item.text()}});
        }
    }

    [[nodiscard]] Place place_of(std::size_t line) const { return {file_, static_cast<int>(line)}; }

    const std::string& file_;
    std::string_view text_;
    Lines lines_;
    std::vector<InputDocument> out_;
};

}  // namespace

std::vector<InputDocument> read_documents(const std::string& file, std::string_view text) {
    return DocumentReader{file, text}.read();
}

}  // namespace smw::cli
