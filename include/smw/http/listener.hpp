#pragma once
// A listening socket, its connections, and their way to the end: RFC 9112 over TLS or plain TCP.

#include "smw/async/shards.hpp"
#include "smw/async/snapshot.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/deadline.hpp"
#include "smw/base/error.hpp"
#include "smw/base/log.hpp"
#include "smw/http/service.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/callers.hpp"
#include "smw/tls/server_context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace smw::http {

/// Every limit of a listener. Times are upper bounds; `sweep` is how exactly they are kept.
struct Limits {
    std::size_t max_connections = 1024;
    /// Who has been idle for less makes no room: it has just come, or is about to ask again. So a
    /// flood of connections cannot push a caller out while it shakes hands.
    Duration least_idle = std::chrono::milliseconds{250};
    /// A Pod may have 1.5 MiB in etcd; a review carries object and oldObject, and JSON may be
    /// longer than protobuf: controller-runtime derives 7 MiB from that.
    std::size_t max_body_bytes = std::size_t{7} << 20;
    std::size_t max_bytes_in_flight = std::size_t{8} << 20;
    /// The API server reuses idle connections for 90 s: ours must not end before.
    Duration idle = std::chrono::seconds{120};
    Duration handshake = std::chrono::seconds{10};
    /// While stopping: from the accept to the first byte of a request. Who has just come is about
    /// to ask, and a POST that meets a close is not sent again.
    Duration newcomer = std::chrono::seconds{2};
    Duration head = std::chrono::seconds{10};
    Duration body = std::chrono::seconds{30};
    Duration write = std::chrono::seconds{30};
    /// After the last answer on a connection: what is still coming is read and dropped until the
    /// peer closes, so that the caller sees the answer and not a reset.
    std::size_t drop_bytes = std::size_t{8} << 20;
    Duration drop = std::chrono::seconds{2};
    Duration sweep = std::chrono::milliseconds{100};
};

struct ListenerSettings {
    std::string name;        ///< the `listener` label of metrics: "webhook"
    std::string address;     ///< empty: all interfaces, dual-stack when there is IPv6
    std::uint16_t port = 0;  ///< 0: any free one
    Limits limits;
    /// Plain TCP when null. A connection that comes while nothing is published is closed.
    const async::Snapshot<tls::ServerContext>* tls = nullptr;
    /// With TLS only, else the constructor throws. Null: nobody is asked for a certificate.
    const tls::Callers* callers = nullptr;
};

/// Connections are spread over `shards`; the first of them accepts. Made, started and stopped from
/// one thread that is none of the shards'; the shards run until stop() has returned.
class Listener {
public:
    Listener(ListenerSettings settings, std::vector<async::Shard*> shards, Service& service,
             log::Logger logger, metrics::Registry& metrics);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Binds and listens; an error names the address: "listening on 0.0.0.0:9443: address in use".
    [[nodiscard]] Expected<void> bind();
    /// "127.0.0.1:9443", once bound.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] std::uint16_t port() const;
    void start();

    /// From now on each answer says Connection: close.
    void announce_close();
    /// Closes the acceptor and the idle connections; requests whose head has arrived are answered.
    /// Returns when all connections have ended or were cut at `deadline`. False when some were cut.
    bool stop(Deadline deadline);

    [[nodiscard]] std::size_t connections() const;
    [[nodiscard]] std::size_t bytes_in_flight() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace smw::http
