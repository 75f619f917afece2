#pragma once
// JSON text, parsed once, read by cursors. The parser (simdjson's DOM) is taken from a free list of
// the calling thread and goes back to that of the destroying one.

#include "smw/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace smw::json {

class Items;
class Members;

enum class Kind { Null, Boolean, Number, String, Array, Object };

[[nodiscard]] std::string_view to_string(Kind kind);

/// A copyable cursor into a Document, which outlives it. Cheap: pass by value.
class Value {
public:
    [[nodiscard]] Kind kind() const;
    [[nodiscard]] bool is_null() const { return kind() == Kind::Null; }
    [[nodiscard]] bool is_object() const { return kind() == Kind::Object; }
    [[nodiscard]] bool is_array() const { return kind() == Kind::Array; }

    /// The member `key` of an object, the first of several; nothing when absent, null or when this
    /// is no object: to Kubernetes null and absent are the same.
    [[nodiscard]] std::optional<Value> find(std::string_view key) const;
    /// As find(), but a member that is null is found.
    [[nodiscard]] std::optional<Value> find_raw(std::string_view key) const;

    /// The value when it is of that kind. Views live as long as the Document.
    [[nodiscard]] std::optional<std::string_view> string() const;
    [[nodiscard]] std::optional<bool> boolean() const;
    [[nodiscard]] std::optional<std::int64_t> int64() const;

    /// Empty unless this is an array / an object.
    [[nodiscard]] Items items() const;
    [[nodiscard]] Members members() const;
    /// Items of an array or members of an object, else 0.
    [[nodiscard]] std::size_t size() const;

    /// Minified JSON text of this value. Cold paths.
    [[nodiscard]] std::string text() const;

    /// simdjson's element, opaque here so that only json/ knows it.
    struct Cursor {
        const void* document = nullptr;
        std::size_t index = 0;
        friend bool operator==(const Cursor&, const Cursor&) = default;
    };
    explicit Value(Cursor cursor) : cursor_(cursor) {}
    [[nodiscard]] Cursor cursor() const { return cursor_; }

private:
    Cursor cursor_;
};

class Items {
public:
    class iterator {
    public:
        using value_type = Value;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = value_type;
        using pointer = void;

        iterator() = default;
        explicit iterator(Value::Cursor at) : at_(at) {}
        Value operator*() const;
        iterator& operator++();
        iterator operator++(int) {
            const iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator&, const iterator&) = default;

    private:
        Value::Cursor at_;
    };

    Items(iterator first, iterator last) : first_(first), last_(last) {}
    [[nodiscard]] iterator begin() const { return first_; }
    [[nodiscard]] iterator end() const { return last_; }
    [[nodiscard]] bool empty() const { return first_ == last_; }

private:
    iterator first_;
    iterator last_;
};

/// In the order of the text, duplicates included.
class Members {
public:
    class iterator {
    public:
        using value_type = std::pair<std::string_view, Value>;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = value_type;
        using pointer = void;

        iterator() = default;
        explicit iterator(Value::Cursor at) : at_(at) {}
        std::pair<std::string_view, Value> operator*() const;
        iterator& operator++();
        iterator operator++(int) {
            const iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator&, const iterator&) = default;

    private:
        Value::Cursor at_;
    };

    Members(iterator first, iterator last) : first_(first), last_(last) {}
    [[nodiscard]] iterator begin() const { return first_; }
    [[nodiscard]] iterator end() const { return last_; }
    [[nodiscard]] bool empty() const { return first_ == last_; }

private:
    iterator first_;
    iterator last_;
};

/// Owns the text and what was parsed from it. Movable; cursors stay valid over a move.
class Document {
public:
    /// Takes the whole text or nothing: what simdjson's DOM refuses (trailing text, invalid UTF-8,
    /// more than 1,024 levels, numbers out of range) is BadRequest. To spare a copy, give `text` a
    /// capacity of kPadding more than its size.
    [[nodiscard]] static Expected<Document> parse(std::string text);
    static constexpr std::size_t kPadding = 64;

    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    [[nodiscard]] Value root() const;
    /// Gives the text's memory back for another use; no cursor may be used after.
    [[nodiscard]] std::string release_text() &&;

private:
    struct State;
    explicit Document(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace smw::json
