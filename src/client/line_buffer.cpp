#include "client/line_buffer.hpp"

#include "client/text.hpp"
#include "smw/json/document.hpp"

#include <fmt/format.h>

namespace smw::client {
namespace {

/// A buffer that has grown for one huge line is not kept.
constexpr std::size_t kKeptCapacity = std::size_t{64} << 10;

}  // namespace

void LineBuffer::append(std::string_view bytes) {
    if (!too_large_) {
        bytes_ += bytes;
    }
}

Expected<std::optional<std::string>> LineBuffer::next() {
    while (!too_large_) {
        const auto end = bytes_.find('\n', scanned_);
        const bool complete = end != std::string::npos;
        auto line = std::string_view{bytes_}.substr(begin_, complete ? end - begin_ : end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        too_large_ = line.size() > kMaxLine;
        if (too_large_) {
            break;
        }
        if (!complete) {
            scanned_ = bytes_.size();
            compact();
            return std::optional<std::string>{};
        }
        begin_ = scanned_ = end + 1;
        if (!trim(line).empty()) {
            std::string copy;
            copy.reserve(line.size() + json::Document::kPadding);
            copy += line;
            return std::optional<std::string>{std::move(copy)};
        }
    }
    free();
    return fail(Code::TooLarge, fmt::format("a line has more than {} MiB", kMaxLine >> 20));
}

bool LineBuffer::has_rest() const {
    return too_large_ || !trim(std::string_view{bytes_}.substr(begin_)).empty();
}

/// What an assignment does not: it keeps the capacity.
void LineBuffer::free() {
    std::string{}.swap(bytes_);
}

void LineBuffer::compact() {
    bytes_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    if (bytes_.empty() && bytes_.capacity() > kKeptCapacity) {
        free();
    }
}

}  // namespace smw::client
