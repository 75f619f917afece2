#include "smw/json/pointer.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

namespace smw::json {
namespace {

/// RFC 6901 section 3: `~` stands only in `~0` and `~1`.
Expected<std::string> unescape(std::string_view escaped) {
    std::string token;
    token.reserve(escaped.size());
    for (std::size_t at = 0; at < escaped.size(); ++at) {
        if (escaped[at] != '~') {
            token += escaped[at];
            continue;
        }
        ++at;
        if (at == escaped.size() || (escaped[at] != '0' && escaped[at] != '1')) {
            return fail(Code::BadRequest, "has a ~ that is followed by neither 0 nor 1");
        }
        token += escaped[at] == '0' ? '~' : '/';
    }
    return token;
}

/// RFC 6901 section 4: digits without leading zeros.
std::optional<std::size_t> array_index(std::string_view token) {
    if (token.empty() || (token.size() > 1 && token[0] == '0')) {
        return std::nullopt;
    }
    if (!std::all_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    std::size_t index = 0;
    const auto parsed = std::from_chars(token.data(), token.data() + token.size(), index);
    return parsed.ec == std::errc{} ? std::optional{index} : std::nullopt;
}

std::optional<Value> step(Value value, std::string_view token) {
    if (!value.is_array()) {
        return value.find_raw(token);
    }
    const std::optional<std::size_t> index = array_index(token);
    if (!index || *index >= value.size()) {
        return std::nullopt;
    }
    auto item = value.items().begin();
    for (std::size_t at = 0; at < *index; ++at) {
        ++item;
    }
    return *item;
}

}  // namespace

Expected<Pointer> Pointer::parse(std::string_view text) {
    Pointer pointer;
    if (text.empty()) {
        return pointer;
    }
    if (text[0] != '/') {
        return fail(Code::BadRequest, "must be empty or begin with /");
    }
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::size_t end = std::min(text.find('/'), text.size());
        auto token = unescape(text.substr(0, end));
        if (!token) {
            return tl::unexpected<Error>(std::move(token).error());
        }
        pointer.tokens_.push_back(*std::move(token));
        text.remove_prefix(end);
    }
    return pointer;
}

Pointer Pointer::operator/(std::string_view token) const& {
    Pointer deeper;
    deeper.tokens_.reserve(tokens_.size() + 2);  // of an item mostly a member is meant
    deeper.tokens_ = tokens_;
    return std::move(deeper) / token;
}

Pointer Pointer::operator/(std::string_view token) && {
    tokens_.emplace_back(token);
    return std::move(*this);
}

Pointer Pointer::operator/(std::size_t index) const& {
    return *this / std::string_view{std::to_string(index)};
}

Pointer Pointer::operator/(std::size_t index) && {
    return std::move(*this) / std::string_view{std::to_string(index)};
}

std::string Pointer::text() const {
    std::string out;
    out.reserve(std::accumulate(
        tokens_.begin(), tokens_.end(), std::size_t{0},
        [](std::size_t sum, const std::string& token) { return sum + 1 + token.size(); }));
    for (const std::string& token : tokens_) {
        out += '/';
        for (const char character : token) {
            if (character == '~') {
                out += "~0";
            } else if (character == '/') {
                out += "~1";
            } else {
                out += character;
            }
        }
    }
    return out;
}

std::optional<Value> Pointer::resolve(Value root) const {
    std::optional<Value> at = root;
    for (const std::string& token : tokens_) {
        at = step(*at, token);
        if (!at) {
            return std::nullopt;
        }
    }
    return at;
}

}  // namespace smw::json
