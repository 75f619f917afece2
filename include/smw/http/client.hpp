#pragma once
// HTTP/1.1 as a client (RFC 9110, 9112) of one origin: pooled connections, whole answers within a
// bound, and answers that go on for hours. Redirects are answers like others.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"
#include "smw/base/error.hpp"
#include "smw/tls/client_context.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace smw::http {

struct ClientSettings {
    std::string host{};  ///< name or IP address, without brackets
    std::uint16_t port = 443;
    /// For SNI and the check of the server's certificate; empty: `host`.
    std::string server_name{};
    std::string user_agent{};
    /// Plain TCP when null. A request that comes while nothing is published fails.
    const async::Snapshot<tls::ClientContext>* tls = nullptr;
    std::size_t max_head_bytes = std::size_t{64} << 10;
    /// Of a whole answer, chunked or not. A stream is bounded by who reads it.
    std::size_t max_body_bytes = std::size_t{4} << 20;
    std::size_t max_idle_connections = 4;
    /// Unanswered bytes for so long mean that nobody is there (TCP_USER_TIMEOUT); keep-alive probes
    /// find the same on a connection that is quiet.
    Duration user_timeout = std::chrono::seconds{30};
};

struct ClientRequest {
    std::string method = "GET";
    std::string target{};  ///< path and query, encoded
    /// Beside Host, User-Agent and Content-Length.
    std::vector<std::pair<std::string, std::string>> headers{};
    /// Its type is a header. Never part of an error.
    std::string body{};
};

struct ClientResponse {
    unsigned status = 0;
    std::string content_type;
    std::string retry_after;  ///< as sent; empty: absent
    std::string location;
    std::string body;  ///< has json::Document::kPadding to spare
};

/// An answer whose body is read as it comes. Closes its connection at the end.
class ClientStream {
public:
    ClientStream() = default;
    ClientStream(const ClientStream&) = delete;
    ClientStream& operator=(const ClientStream&) = delete;
    virtual ~ClientStream() = default;

    /// Without its body.
    [[nodiscard]] virtual const ClientResponse& head() const = 0;
    /// The next bytes; empty once the body has ended in good order. Errors: DeadlineExceeded (the
    /// stream stays usable no more), Unavailable (cut off, or not HTTP).
    virtual Task<Expected<std::string>> read(Deadline deadline) = 0;
};

/// Used from one executor's thread only, where its coroutines run. Destroyed after they have ended.
/// Errors name the origin: Unavailable ("connecting to 10.96.0.1:443: connection refused", a
/// handshake that failed and why, an answer that is no HTTP), DeadlineExceeded, TooLarge.
class Client {
public:
    explicit Client(ClientSettings settings);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// The whole answer. A pooled connection that turns out to be dead before a byte of the answer
    /// has come is replaced by a new one, once: so only for requests that may be sent twice.
    Task<Expected<ClientResponse>> send(ClientRequest request, Deadline deadline);
    /// The answer from its head on; `deadline` is for the head.
    Task<Expected<std::unique_ptr<ClientStream>>> open(ClientRequest request, Deadline deadline);
    /// Credentials have changed: what is not in use is closed, what is in use is not kept.
    void close_idle();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace smw::http
