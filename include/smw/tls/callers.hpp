#pragma once
// --client-auth on connections: asks for a certificate, and says once what came of it.

#include "smw/async/snapshot.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/caller.hpp"
#include "smw/tls/client_ca.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace smw::tls {

/// What the handshake of a server's `session` has told.
[[nodiscard]] Caller read_caller(ssl_st* session);

/// What a connection remembers of its caller.
struct CallerStanding {
    std::string refused;  ///< why the caller may not ask for reviews; empty: it may
    /// Of the CA that it was judged by; nothing when there was another one meanwhile.
    std::optional<std::uint64_t> ca_version;
    WallTime until = WallTime::max();  ///< when the first certificate of its chain expires
};

/// Thread-safe. Both references outlive it.
class Callers {
public:
    Callers(CallerPolicy policy, const async::Snapshot<ClientCa>& cas, log::Logger logger,
            metrics::Registry& metrics);

    /// Before the handshake: asks for a certificate that the CA which is in force now verifies; a
    /// later one is none of this connection's business. Whatever is presented, or is not, the
    /// handshake goes on, so that the caller can be told a sentence.
    void ask(ssl_st* session) const;
    /// After it: counts and logs; of callers that are not allowed a line a second, for anyone can
    /// be one.
    [[nodiscard]] CallerStanding hear(ssl_st* session, TimePoint now) const;
    /// Whether the connection may go on: the caller is not refused, and would be judged by the same
    /// CA and the same certificates if it came again.
    [[nodiscard]] bool stands(const CallerStanding& standing, WallTime now) const;

private:
    void log(const Caller& caller, const CallerVerdict& verdict, TimePoint now) const;
    std::optional<std::int64_t> take_line(TimePoint now) const;

    CallerPolicy policy_;
    const async::Snapshot<ClientCa>& cas_;
    log::Logger logger_;
    std::vector<metrics::Counter> results_;  ///< in the order of CallerResult
    mutable std::atomic<TimePoint> next_line_{TimePoint::min()};
    mutable std::atomic<std::int64_t> left_out_{0};  ///< lines, since the last one
};

}  // namespace smw::tls
