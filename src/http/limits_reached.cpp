#include "http/limits_reached.hpp"

#include <string_view>
#include <utility>

namespace smw::http {

namespace {

struct Words {
    std::string_view label;
    std::string_view what;
};

/// In the order of Limit.
constexpr std::array<Words, kLimits> kWords{{
    {"connections", "there are --max-connections connections: the longest idle one makes room"},
    {"descriptors", "no descriptor or memory was left to accept a connection with (ulimit -n)"},
    {"key-renewals", "a caller renewed the keys of its TLS session again and again"},
    {"handshake-time", "a caller took too long over the TLS handshake"},
    {"head-time", "a caller took too long to send the head of a request"},
    {"head-bytes", "the head of a request was too long"},
    {"body-time", "a caller took too long to send a body"},
    {"body-bytes", "a body was larger than --max-body-bytes"},
    {"bytes-in-flight", "bodies came to more than --max-bytes-in-flight"},
    {"answer-time", "a caller took too long to take its answer"},
}};

}  // namespace

LimitsReached::LimitsReached(std::string listener, log::Logger logger, metrics::Registry& metrics)
    : listener_(std::move(listener)), logger_(std::move(logger)) {
    const auto family =
        metrics.counter({"smw_limits_reached_total",
                         "Connections and requests that ran into a limit, by limit.",
                         {"listener", "limit"}});
    for (std::size_t index = 0; index < kLimits; ++index) {
        kinds_[index] = std::make_unique<Kind>(family.with({listener_, kWords[index].label}));
    }
}

void LimitsReached::note(Limit limit) {
    const auto index = static_cast<std::size_t>(limit);
    Kind& kind = *kinds_[index];
    kind.counter.increment();
    kind.since_line.fetch_add(1, std::memory_order_relaxed);
    if (kind.line.pass()) {
        logger_.warn("A limit is reached",
                     {{"listener", listener_},
                      {"limit", kWords[index].label},
                      {"what", kWords[index].what},
                      {"times", kind.since_line.exchange(0, std::memory_order_relaxed)}});
    }
}

}  // namespace smw::http
