#include "smw/json/writer.hpp"

#include "smw/base/base64.hpp"
#include "smw/base/quote.hpp"

#include <array>
#include <charconv>

namespace smw::json {

void append_string(std::string& out, std::string_view text) {
    append_quoted(out, text);
}

void Writer::separate() {
    if (needs_comma_) {
        out_ += ',';
    }
    needs_comma_ = true;
}

Writer& Writer::begin_object() {
    separate();
    out_ += '{';
    needs_comma_ = false;
    return *this;
}

Writer& Writer::end_object() {
    out_ += '}';
    needs_comma_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    separate();
    out_ += '[';
    needs_comma_ = false;
    return *this;
}

Writer& Writer::end_array() {
    out_ += ']';
    needs_comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    append_string(out_, name);
    out_ += ':';
    needs_comma_ = false;
    return *this;
}

Writer& Writer::value(std::string_view text) {
    separate();
    append_string(out_, text);
    return *this;
}

Writer& Writer::value(std::int64_t number) {
    separate();
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out_.append(digits.data(), end);
    return *this;
}

Writer& Writer::value(bool flag) {
    separate();
    out_ += flag ? "true" : "false";
    return *this;
}

Writer& Writer::value(const Text& text) {
    separate();
    out_ += text.json;
    return *this;
}

Writer& Writer::null() {
    separate();
    out_ += "null";
    return *this;
}

Writer& Writer::base64(std::string_view bytes) {
    separate();
    out_ += '"';
    append_base64(out_, bytes);
    out_ += '"';
    return *this;
}

}  // namespace smw::json
