#pragma once
// A TCP connection, with TLS or without, on either side. Lives on one shard.

#include "http/tls_stream.hpp"
#include "smw/async/task.hpp"
#include "smw/tls/callers.hpp"
#include "smw/tls/server_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace smw::http {

class Transport {
public:
    /// As a server; plain when `context` is null, and only then: throws when it gives no session.
    /// `callers`, unless null, asks for a certificate.
    Transport(boost::asio::ip::tcp::socket socket, const tls::ServerContext* context,
              const tls::Callers* callers);
    /// As a client; plain when `session` is null.
    Transport(boost::asio::ip::tcp::socket socket, TlsSession session);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    Task<error_code> handshake();
    /// At least one byte, or an error: eof when the peer has closed in good order, over TLS
    /// stream_truncated when it has not.
    Task<std::size_t> read_some(boost::asio::mutable_buffer buffer, error_code& error);
    Task<error_code> write(std::string_view bytes);
    /// Sends close_notify and FIN, reads and drops up to `drop_bytes` until the peer closes, too
    /// (RFC 9112 9.6), and closes the socket.
    Task<void> shutdown(std::size_t drop_bytes);

    /// Ends the pending wait with operation_aborted; the connection stays usable.
    void cancel();
    void close();
    /// Whether bytes have arrived that nobody has read.
    [[nodiscard]] bool has_unread() const;
    /// Open, and neither bytes nor the peer's close have arrived.
    [[nodiscard]] bool is_quiet() const;
    /// Null without TLS.
    [[nodiscard]] ssl_st* session() const;
    /// "TLSv1.3", "TLSv1.2" or "none": the metric's label.
    [[nodiscard]] std::string_view tls_version() const;

private:
    Transport(boost::asio::ip::tcp::socket socket, TlsSession session, TlsStream::Side side);
    Task<error_code> write_plain(std::string_view bytes);

    boost::asio::ip::tcp::socket socket_;
    std::unique_ptr<TlsStream> tls_;
};

}  // namespace smw::http
