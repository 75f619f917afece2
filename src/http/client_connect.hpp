#pragma once
// From a name to a connection that can be asked: lookup, TCP, TLS.

#include "http/client_error.hpp"
#include "http/transport.hpp"
#include "smw/http/client.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <vector>

namespace smw::http {

/// To the first endpoint that takes us. None but the last may use more than its share of what is
/// left until `deadline`, which binds the last one only by way of who waits for this.
Task<Expected<boost::asio::ip::tcp::socket>> connect_to_any(
    std::vector<boost::asio::ip::tcp::endpoint> endpoints, Duration user_timeout,
    Deadline deadline);

/// Connected on the calling coroutine's executor; over TLS the handshake is done and the server is
/// who it should be. Says in `phase` how far it has come. `deadline` is what the
/// caller waits for: it is shared among addresses here, not kept. References outlive the task.
Task<Expected<std::unique_ptr<Transport>>> connect(const ClientSettings& settings,
                                                   Deadline deadline, Phase& phase);

}  // namespace smw::http
