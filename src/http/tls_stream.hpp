#pragma once
// TLS over a socket, on either side. asio::ssl::stream would do the same, but copies each byte once
// more, arms two timers for each read or write, and sends through the event loop what the socket
// takes at once: a tenth of the CPU of a review, and half the memory of an idle connection.

#include "smw/async/task.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

struct ssl_st;
struct bio_st;

namespace smw::http {

using boost::system::error_code;

struct TlsSessionDeleter {
    void operator()(ssl_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_st, TlsSessionDeleter>;

/// One coroutine at a time reads or writes; an operation that was cancelled may be begun again.
/// Errors are those of the socket or of OpenSSL (asio::error::get_ssl_category), eof after
/// close_notify, and asio::ssl::error::stream_truncated when the peer closes without it.
class TlsStream {
public:
    enum class Side { Server, Client };

    /// Throws std::bad_alloc. `socket` outlives it.
    TlsStream(boost::asio::ip::tcp::socket& socket, TlsSession session, Side side);
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    Task<error_code> handshake();
    /// At least one byte, or an error.
    Task<std::size_t> read_some(boost::asio::mutable_buffer buffer, error_code& error);
    Task<error_code> write(std::string_view bytes);
    /// Sends close_notify, and does not wait for the peer's.
    Task<error_code> close_notify();

    [[nodiscard]] ssl_st* session() const { return session_.get(); }
    /// Whether bytes were received that nobody has read.
    [[nodiscard]] bool has_received() const;

private:
    friend struct SocketBio;

    enum class Want { Nothing, Input, Output };
    /// What the last call of OpenSSL, which returned `result`, asks for, or why it failed.
    Want judge(int result, error_code& error);
    [[nodiscard]] error_code failure(int reason) const;
    /// Waits for what is wanted.
    Task<error_code> wait_for(Want want);

    // What OpenSSL reads from and writes to.
    std::size_t take(char* to, std::size_t size);
    std::ptrdiff_t send(const char* from, std::size_t size);

    boost::asio::ip::tcp::socket& socket_;
    TlsSession session_;
    /// A TLS record, or what has come of it.
    std::array<char, std::size_t{17} << 10> input_;
    std::size_t input_begin_ = 0;
    std::size_t input_end_ = 0;
    bool truncated_ = false;  ///< the peer has closed its side of the socket
    error_code send_error_;
};

}  // namespace smw::http
