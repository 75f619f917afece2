#pragma once
// The limits of a listener that somebody runs into: each is counted, and logged at most once a
// second.

#include "smw/base/log.hpp"
#include "smw/base/once_a_second.hpp"
#include "smw/metrics/registry.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace smw::http {

enum class Limit : std::size_t {
    Connections,    ///< --max-connections: somebody had to make room, or newcomers waited
    Descriptors,    ///< none left, or no memory, to accept with
    KeyRenewals,    ///< tls::kMaxHandshakeRecords
    HandshakeTime,  ///< the rest: see Limits
    HeadTime,
    HeadBytes,
    BodyTime,
    BodyBytes,
    BytesInFlight,
    AnswerTime,
};
inline constexpr std::size_t kLimits = static_cast<std::size_t>(Limit::AnswerTime) + 1;

/// Thread-safe.
class LimitsReached {
public:
    LimitsReached(std::string listener, log::Logger logger, metrics::Registry& metrics);

    void note(Limit limit);

private:
    struct Kind {
        explicit Kind(metrics::Counter all) : counter(all) {}
        metrics::Counter counter;
        OnceASecond line;
        std::atomic<std::int64_t> since_line{0};
    };

    std::string listener_;
    log::Logger logger_;
    std::array<std::unique_ptr<Kind>, kLimits> kinds_;  ///< in the order of Limit
};

}  // namespace smw::http
