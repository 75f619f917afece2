// Document, Value and iteration on simdjson's tape. A Cursor is a position on the tape of the
// document inside a parser: simdjson's own tape_ref, which elements, arrays and objects wrap and do
// not give out. This is the only file that knows the tape; tests compare every answer with an
// independent parser, and the build fails when tape_ref changes.

#include "smw/json/document.hpp"

#include "json/parser_pool.hpp"
#include "smw/json/writer.hpp"

#include <simdjson.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <type_traits>

namespace smw::json {
namespace {

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

static_assert(std::is_same_v<decltype(tape_ref::doc), const simdjson::dom::document*>);
static_assert(std::is_same_v<decltype(tape_ref::json_index), std::size_t>);
static_assert(Document::kPadding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t kRootIndex = 1;  // the tape's first word is the root mark

tape_ref tape(Value::Cursor at) {
    return tape_ref{static_cast<const simdjson::dom::document*>(at.document), at.index};
}

tape_type type(Value::Cursor at) {
    return tape(at).tape_ref_type();
}

Value::Cursor after(Value::Cursor at) {
    return {at.document, tape(at).after_element()};
}

bool is_container(Value::Cursor at) {
    const tape_type found = type(at);
    return found == tape_type::START_ARRAY || found == tape_type::START_OBJECT;
}

/// From the word behind the opening bracket to the closing one.
template <class Range>
Range inside(Value::Cursor at, tape_type opening) {
    using Iterator = typename Range::iterator;
    if (type(at) != opening) {
        return Range{Iterator{at}, Iterator{at}};
    }
    const Value::Cursor first{at.document, at.index + 1};
    const Value::Cursor last{at.document, tape(at).after_element() - 1};
    return Range{Iterator{first}, Iterator{last}};
}

std::string_view reason(simdjson::error_code code) {
    switch (code) {
        case simdjson::EMPTY:
            return "is empty";
        case simdjson::DEPTH_ERROR:
            return "is nested more than 1,024 levels deep";
        case simdjson::STRING_ERROR:
            return "has a string with an invalid escape";
        case simdjson::T_ATOM_ERROR:
        case simdjson::F_ATOM_ERROR:
        case simdjson::N_ATOM_ERROR:
            return "has a word that is not true, false or null";
        case simdjson::NUMBER_ERROR:
            return "has a number that is malformed or out of range";
        case simdjson::NUMBER_OUT_OF_RANGE:
            return "has a number out of range";
        case simdjson::UTF8_ERROR:
            return "is not valid UTF-8";
        case simdjson::UNESCAPED_CHARS:
            return "has a control character in a string";
        case simdjson::UNCLOSED_STRING:
            return "ends inside a string";
        default:
            return "is not well-formed JSON";
    }
}

void append_double(std::string& out, double number) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) {
        out += ".0";  // it was no integer, and stays none
    }
}

void append_scalar(std::string& out, const tape_ref& at) {
    switch (at.tape_ref_type()) {
        case tape_type::STRING:
            append_string(out, at.get_string_view());
            return;
        case tape_type::INT64:
            out += std::to_string(at.next_tape_value<std::int64_t>());
            return;
        case tape_type::UINT64:
            out += std::to_string(at.next_tape_value<std::uint64_t>());
            return;
        case tape_type::DOUBLE:
            append_double(out, at.next_tape_value<double>());
            return;
        case tape_type::TRUE_VALUE:
            out += "true";
            return;
        case tape_type::FALSE_VALUE:
            out += "false";
            return;
        case tape_type::NULL_VALUE:
            out += "null";
            return;
        case tape_type::ROOT:
        case tape_type::START_ARRAY:
        case tape_type::START_OBJECT:
        case tape_type::END_ARRAY:
        case tape_type::END_OBJECT:
            return;
    }
}

/// Recursion ends at kMaxDepth, which the parser keeps.
void append_value(std::string& out, Value value) {
    const bool is_array = value.is_array();
    if (!is_array && !value.is_object()) {
        append_scalar(out, tape(value.cursor()));
        return;
    }
    out += is_array ? '[' : '{';
    std::string_view comma;
    for (const Value item : value.items()) {
        out += comma;
        append_value(out, item);
        comma = ",";
    }
    for (const auto& [key, member] : value.members()) {
        out += comma;
        append_string(out, key);
        out += ':';
        append_value(out, member);
        comma = ",";
    }
    out += is_array ? ']' : '}';
}

}  // namespace

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::Null:
            return "null";
        case Kind::Boolean:
            return "boolean";
        case Kind::Number:
            return "number";
        case Kind::String:
            return "string";
        case Kind::Array:
            return "array";
        case Kind::Object:
            return "object";
    }
    return "null";
}

Kind Value::kind() const {
    switch (type(cursor_)) {
        case tape_type::TRUE_VALUE:
        case tape_type::FALSE_VALUE:
            return Kind::Boolean;
        case tape_type::INT64:
        case tape_type::UINT64:
        case tape_type::DOUBLE:
            return Kind::Number;
        case tape_type::STRING:
            return Kind::String;
        case tape_type::START_ARRAY:
            return Kind::Array;
        case tape_type::START_OBJECT:
            return Kind::Object;
        case tape_type::NULL_VALUE:
        case tape_type::ROOT:
        case tape_type::END_ARRAY:
        case tape_type::END_OBJECT:
            return Kind::Null;
    }
    return Kind::Null;
}

std::optional<Value> Value::find_raw(std::string_view key) const {
    if (type(cursor_) != tape_type::START_OBJECT) {
        return std::nullopt;
    }
    const std::size_t end = tape(cursor_).after_element() - 1;
    for (Cursor at{cursor_.document, cursor_.index + 1}; at.index != end;) {
        const tape_ref name = tape(at);
        ++at.index;
        if (name.get_string_length() == key.size() &&
            std::memcmp(name.get_c_str(), key.data(), key.size()) == 0) {
            return Value{at};
        }
        at = after(at);
    }
    return std::nullopt;
}

std::optional<Value> Value::find(std::string_view key) const {
    const std::optional<Value> found = find_raw(key);
    return found && !found->is_null() ? found : std::nullopt;
}

std::optional<std::string_view> Value::string() const {
    if (type(cursor_) != tape_type::STRING) {
        return std::nullopt;
    }
    return tape(cursor_).get_string_view();
}

std::optional<bool> Value::boolean() const {
    const tape_type found = type(cursor_);
    if (found != tape_type::TRUE_VALUE && found != tape_type::FALSE_VALUE) {
        return std::nullopt;
    }
    return found == tape_type::TRUE_VALUE;
}

std::optional<std::int64_t> Value::int64() const {
    if (type(cursor_) != tape_type::INT64) {
        return std::nullopt;  // UINT64 on the tape is only what int64 cannot hold
    }
    return tape(cursor_).next_tape_value<std::int64_t>();
}

Items Value::items() const {
    return inside<Items>(cursor_, tape_type::START_ARRAY);
}

Members Value::members() const {
    return inside<Members>(cursor_, tape_type::START_OBJECT);
}

std::size_t Value::size() const {
    if (!is_container(cursor_)) {
        return 0;
    }
    const std::size_t count = tape(cursor_).scope_count();
    if (count < simdjson::internal::JSON_COUNT_MASK) {
        return count;
    }
    // The tape's count saturates at 24 bits.
    const Items array = items();
    const Members object = members();
    return static_cast<std::size_t>(std::distance(array.begin(), array.end()) +
                                    std::distance(object.begin(), object.end()));
}

std::string Value::text() const {
    std::string out;
    append_value(out, *this);
    return out;
}

Value Items::iterator::operator*() const {
    return Value{at_};
}

Items::iterator& Items::iterator::operator++() {
    at_ = after(at_);
    return *this;
}

std::pair<std::string_view, Value> Members::iterator::operator*() const {
    return {tape(at_).get_string_view(), Value{{at_.document, at_.index + 1}}};
}

Members::iterator& Members::iterator::operator++() {
    at_ = after({at_.document, at_.index + 1});
    return *this;
}

struct Document::State {
    State(std::string given, std::unique_ptr<Parser> taken)
        : text(std::move(given)), parser(std::move(taken)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { give_back(std::move(parser)); }

    std::string text;
    std::unique_ptr<Parser> parser;
};

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Expected<Document> Document::parse(std::string text) {
    text.reserve(text.size() + kPadding);
    auto state = std::make_unique<State>(std::move(text), nullptr);
    state->parser = take_parser(state->text.size());
    if (!state->parser) {
        return fail(Code::Unavailable, "is too large for the memory that is left");
    }
    // false: no copy, the text has simdjson's padding behind it.
    const auto parsed = state->parser->parse(state->text.data(), state->text.size(), false);
    if (parsed.error() != simdjson::SUCCESS) {
        return fail(Code::BadRequest, std::string{reason(parsed.error())});
    }
    return Document{std::move(state)};
}

Value Document::root() const {
    return Value{{&state_->parser->doc, kRootIndex}};
}

std::string Document::release_text() && {
    std::string text = std::move(state_->text);
    state_.reset();
    return text;
}

}  // namespace smw::json
