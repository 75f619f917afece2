#pragma once
// A TCP connection, with TLS or without. Lives on one shard.

#include "smw/async/task.hpp"
#include "smw/tls/server_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace smw::http {

using boost::system::error_code;

class Transport {
public:
    /// Plain when `context` is null.
    Transport(boost::asio::ip::tcp::socket socket, const tls::ServerContext* context);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    Task<error_code> handshake();
    /// At least one byte, or an error: eof when the peer has closed, in good order or not (a
    /// request that was cut short shows by its own framing).
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
    /// "TLSv1.3", "TLSv1.2" or "none": the metric's label.
    [[nodiscard]] std::string_view tls_version() const;

private:
    struct Tls;
    boost::asio::ip::tcp::socket socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace smw::http
