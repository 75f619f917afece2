#pragma once
// Writing JSON: appends to a string, no tree. For the small answers on the way of a request.

#include <cstdint>
#include <string>
#include <string_view>

namespace smw::json {

/// JSON that is already serialised: never escaped again.
struct Text {
    std::string json;
    friend bool operator==(const Text&, const Text&) = default;
};

/// `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD, control characters
/// \u00XX.
void append_string(std::string& out, std::string_view text);

/// Places commas and colons. The caller closes what it opens and gives a key before each member;
/// misuse is a defect in us and not checked.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view{text}); }
    Writer& value(std::int64_t number);
    Writer& value(bool flag);
    Writer& value(const Text& text);
    Writer& null();
    /// A string with the base64 of `bytes`, as Go writes []byte.
    Writer& base64(std::string_view bytes);

    /// key and value in one.
    template <class T>
    Writer& member(std::string_view name, const T& content) {
        return key(name).value(content);
    }

private:
    void separate();

    std::string& out_;
    bool needs_comma_ = false;
};

}  // namespace smw::json
