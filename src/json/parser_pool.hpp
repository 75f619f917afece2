#pragma once
// simdjson parsers for reuse, a free list on each thread. A parser may come back on another thread
// than it was taken from. Only json/ includes this.

#include <simdjson.h>

#include <cstddef>
#include <memory>

namespace smw::json {

using Parser = simdjson::dom::parser;

/// What the free list of one thread keeps: at most this many parsers, and together at most so much
/// text capacity. simdjson holds up to 14 bytes for a byte of text, so that is 14 MiB a thread.
inline constexpr std::size_t kKeptParsers = 4;
inline constexpr std::size_t kKeptCapacity = 1024 * 1024;

/// Levels of values: the document is the first, a scalar counts as an empty list does.
inline constexpr std::size_t kMaxDepth = 1024;

/// A parser with room for `size` bytes of text; nullptr when there is no memory for it.
[[nodiscard]] std::unique_ptr<Parser> take_parser(std::size_t size);
void give_back(std::unique_ptr<Parser> parser);

/// How many parsers the calling thread keeps.
[[nodiscard]] std::size_t kept_parsers();

}  // namespace smw::json
