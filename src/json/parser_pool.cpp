#include "json/parser_pool.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace smw::json {
namespace {

enum class PoolState { NotMade, Alive, Gone };

/// Trivially destructible, so it can still be asked when the pool of an ending thread is gone: a
/// Document with static storage is destroyed after the thread_local objects of the main thread.
thread_local PoolState pool_state = PoolState::NotMade;

struct Pool {
    Pool() { pool_state = PoolState::Alive; }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() { pool_state = PoolState::Gone; }

    std::vector<std::unique_ptr<Parser>> free;
    std::size_t capacity = 0;
};

Pool* pool() {
    if (pool_state == PoolState::Gone) {
        return nullptr;
    }
    thread_local Pool instance;
    return &instance;
}

/// Texts of one kind differ by a few bytes: rounding up spares an allocation for each longest one.
std::size_t rounded(std::size_t size) {
    constexpr std::size_t kStep = 8 * 1024;
    return (size / kStep + 1) * kStep;
}

}  // namespace

std::unique_ptr<Parser> take_parser(std::size_t size) {
    std::unique_ptr<Parser> parser;
    if (Pool* kept = pool(); kept != nullptr && !kept->free.empty()) {
        parser = std::move(kept->free.back());
        kept->free.pop_back();
        kept->capacity -= parser->capacity();
    } else {
        parser = std::make_unique<Parser>();
    }
    if (parser->capacity() < size || parser->doc.capacity() < size) {
        const std::size_t capacity = rounded(size);
        if (parser->doc.allocate(capacity) != simdjson::SUCCESS ||
            parser->allocate(capacity, kMaxDepth) != simdjson::SUCCESS) {
            return nullptr;
        }
    }
    return parser;
}

void give_back(std::unique_ptr<Parser> parser) {
    Pool* kept = pool();
    if (kept == nullptr || parser == nullptr) {
        return;
    }
    const std::size_t capacity = parser->capacity();
    if (kept->free.size() < kKeptParsers && kept->capacity + capacity <= kKeptCapacity) {
        kept->capacity += capacity;
        kept->free.push_back(std::move(parser));
    }
}

std::size_t kept_parsers() {
    const Pool* kept = pool();
    return kept == nullptr ? 0 : kept->free.size();
}

}  // namespace smw::json
