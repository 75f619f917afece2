#include "app/budgets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace smw::app {

namespace {

constexpr std::uint64_t kKibi = 1024;
constexpr std::uint64_t kMebi = 1024 * kKibi;

/// Resident after the start.
constexpr std::uint64_t kAtStart = 16 * kMebi;
/// OpenSSL's state and buffers, ours, and the socket's coroutine, once it has been asked something
/// (measured: 52).
constexpr std::uint64_t kConnection = 56 * kKibi;
/// The text, and for each of its bytes at most 12 that simdjson writes: "1," is two words of its
/// tape (16) and two positions (8). It allocates up to 14; what is never touched is no memory.
constexpr std::uint64_t kBodyFactor = 1 + 12;
/// Parsers that a thread keeps, for together 1 MiB of text (src/json/parser_pool.hpp).
constexpr std::uint64_t kThread = 12 * kMebi;

/// Of an event loop: epoll, an eventfd, a timerfd.
constexpr std::uint64_t kLoopDescriptors = 3;
/// stdin to stderr, listeners, folders that are followed, files being read, connections to the API
/// server: a watch for each cache, and namespace where they are given.
constexpr std::uint64_t kOtherDescriptors = 64;

/// Budgets come from flags, which may name any number.
std::uint64_t times(std::uint64_t a, std::uint64_t b) {
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max() / 8;
    return a > kMost / b ? kMost : a * b;
}

std::uint64_t less(std::uint64_t from, std::uint64_t what) {
    return from > what ? from - what : 0;
}

/// What --max-connections may be at most, where that alone would do.
std::string lower_connections(std::uint64_t fitting) {
    return fitting == 0 ? std::string{} : fmt::format("lower --max-connections to {}", fitting);
}

/// One body always fits, so --max-bytes-in-flight alone cannot go below --max-body-bytes.
std::string lower_bodies(std::uint64_t fitting, const http::Limits& limits) {
    if (fitting < kMebi) {
        return {};
    }
    // The largest body needs room beside others.
    const std::uint64_t body = std::max(fitting * 7 / 8, kMebi);
    std::vector<std::string> flags;
    if (limits.max_bytes_in_flight > fitting) {
        flags.push_back(fmt::format("--max-bytes-in-flight to {}", in_mebibytes(fitting)));
    }
    if (limits.max_body_bytes > body) {
        flags.push_back(fmt::format("--max-body-bytes to {}", in_mebibytes(body)));
    }
    return fmt::format("lower {}", fmt::join(flags, " and "));
}

std::string lower_for_memory(const Needed& needed, std::uint64_t given,
                             const http::Limits& limits) {
    const std::uint64_t missing = less(needed.memory(), given);
    const std::string remedy =
        needed.body_memory >= needed.connection_memory
            ? lower_bodies(less(needed.body_memory, missing) / kBodyFactor, limits)
            : lower_connections(less(needed.connection_memory, missing) / kConnection);
    return remedy.empty() ? "lower --max-bytes-in-flight, --max-body-bytes and --max-connections"
                          : remedy;
}

Shortfall descriptor_shortfall(std::uint64_t given, const Needed& needed,
                               const http::Limits& limits) {
    std::string remedy =
        fmt::format("raise it to {} (ulimit -Hn, LimitNOFILE=)", needed.descriptors);
    const std::uint64_t others = less(needed.descriptors, limits.max_connections);
    if (const auto lower = lower_connections(less(given, others)); !lower.empty()) {
        remedy += ", or " + lower;
    }
    return {"The limit of file descriptors is too low for --max-connections", std::to_string(given),
            std::to_string(needed.descriptors),
            "when they are used up connections are not accepted, and neither files nor the API "
            "server can be read",
            std::move(remedy)};
}

Shortfall memory_shortfall(std::uint64_t given, const Needed& needed, const http::Limits& limits) {
    return {"The memory limit is too low for the budgets", in_mebibytes(given),
            in_mebibytes(needed.memory()),
            "many connections and large reviews at a time may get this process killed",
            fmt::format("raise it to {}, or {}", in_mebibytes(needed.memory()),
                        lower_for_memory(needed, given, limits))};
}

}  // namespace

std::uint64_t Needed::memory() const {
    return connection_memory + body_memory + other_memory;
}

Needed needed_for(const http::Limits& limits, std::size_t threads) {
    Needed needed;
    needed.descriptors = times(limits.max_connections, 1) + 2 * kSideConnections +
                         kLoopDescriptors * (threads + 1) + kOtherDescriptors;
    needed.connection_memory = times(limits.max_connections, kConnection);
    needed.body_memory =
        times(std::max(limits.max_bytes_in_flight, limits.max_body_bytes), kBodyFactor);
    needed.other_memory = kAtStart + times(threads, kThread);
    return needed;
}

std::vector<Shortfall> shortfalls(const Given& given, const http::Limits& limits,
                                  std::size_t threads) {
    const Needed needed = needed_for(limits, threads);
    std::vector<Shortfall> all;
    if (given.descriptors && *given.descriptors < needed.descriptors) {
        all.push_back(descriptor_shortfall(*given.descriptors, needed, limits));
    }
    if (given.memory && *given.memory < needed.memory()) {
        all.push_back(memory_shortfall(*given.memory, needed, limits));
    }
    return all;
}

std::string in_mebibytes(std::uint64_t bytes) {
    return fmt::format("{}Mi", bytes / kMebi);
}

}  // namespace smw::app
