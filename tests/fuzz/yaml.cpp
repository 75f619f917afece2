// YAML: what is taken is JSON, and written as YAML it says the same again.

#include "smw/json/yaml.hpp"

#include "oracle.hpp"
#include "smw/json/document.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <algorithm>

namespace smw::fuzz {
namespace {

void check_way_back(const json::Text& text) {
    const auto document = json::Document::parse(text.json);
    // Go, too, refuses what it cannot hold: YAML has larger numbers and deeper nesting.
    if (!document) {
        check(document.error().message.find("number") != std::string::npos ||
                  document.error().message.find("1,024 levels") != std::string::npos,
              "YAML became something that is no JSON");
        return;
    }
    const auto written = json::to_yaml(text);
    check(written.has_value(), "JSON that cannot be written as YAML");
    const auto again = json::parse_yaml(*written);
    check(again && again->size() == 1, "our own YAML is not read as one document");
    // 0.0 comes back as 0: Go writes numbers so.
    check(is_same_json(again->front().json.json, text.json), "our own YAML says something else");
}

}  // namespace

void yaml(std::string_view bytes) {
    const auto documents = json::parse_yaml(bytes);
    if (!documents) {
        check(documents.error().message.starts_with("line "), "an error without a line");
        return;
    }
    const auto lines = 1 + std::ranges::count(bytes, '\n') + std::ranges::count(bytes, '\r');
    for (const auto& document : *documents) {
        check(document.line >= 1 && document.line <= lines, "a line that is not there");
        if (document.json.json != "null") {
            check_way_back(document.json);
        }
    }
}

}  // namespace smw::fuzz
