#pragma once
// From a name to a connection that can be asked: lookup, TCP, TLS.

#include "http/client_error.hpp"
#include "http/transport.hpp"
#include "smw/http/client.hpp"

#include <memory>

namespace smw::http {

/// Connected on the calling coroutine's executor; over TLS the handshake is done and the server is
/// who it should be. Says in `phase` how far it has come. Both parameters outlive the task.
Task<Expected<std::unique_ptr<Transport>>> connect(const ClientSettings& settings, Phase& phase);

}  // namespace smw::http
