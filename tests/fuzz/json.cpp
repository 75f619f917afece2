// JSON: both parsers take the same texts and read the same in them; what is written is read again;
// YAML is a way there and back.

#include "oracle.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"
#include "smw/json/yaml.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

/// What we refuse, and others need not: RFC 8259 leaves these to the reader.
bool may_be_refused(const Error& error, std::string_view bytes) {
    return error.message.find("number") != std::string::npos ||
           error.message.find("1,024 levels") != std::string::npos ||
           bytes.starts_with("\xEF\xBB\xBF");
}

void check_reading(json::Value root, std::string_view bytes) {
    const auto text = root.text();
    const auto again = json::Document::parse(text);
    check(again && again->root().text() == text, "what was written is read as something else");
    check(has_doubles(root) || is_same_json(text, bytes), "nlohmann reads something else");
}

}  // namespace

void json(std::string_view bytes) {
    const auto document = json::Document::parse(std::string{bytes});
    if (!document) {
        check(!document.error().message.empty(), "an error without a reason");
        check(!is_json(bytes) || may_be_refused(document.error(), bytes),
              "JSON for nlohmann, and not for us");
        return;
    }
    check(is_json(bytes), "JSON for us, and not for nlohmann");
    check_reading(document->root(), bytes);
}

}  // namespace smw::fuzz
