#pragma once
// An answer whose body is read as it comes.

#include "http/client_connection.hpp"
#include "smw/http/client.hpp"

#include <memory>
#include <string>

namespace smw::http {

/// Of a connection that has read the head of an answer.
[[nodiscard]] std::unique_ptr<ClientStream> make_stream(
    std::unique_ptr<ClientConnection> connection, std::string origin);

}  // namespace smw::http
