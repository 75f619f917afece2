#include "http/tls_stream.hpp"

#include "smw/tls/record_flood.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <sys/socket.h>

namespace smw::http {

namespace asio = boost::asio;
using asio::ip::tcp;

/// The BIO between OpenSSL and a TlsStream: reads what has been received, sends to the socket.
struct SocketBio {
    static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(::BIO_get_data(bio)); }

    static int read(BIO* bio, char* to, int size) {
        ::BIO_clear_retry_flags(bio);
        const std::size_t count = stream(bio).take(to, static_cast<std::size_t>(size));
        if (count > 0) {
            return static_cast<int>(count);
        }
        if (stream(bio).truncated_) {
            return 0;
        }
        ::BIO_set_retry_read(bio);
        return -1;
    }

    static int write(BIO* bio, const char* from, int size) {
        ::BIO_clear_retry_flags(bio);
        const auto count = stream(bio).send(from, static_cast<std::size_t>(size));
        if (count < 0 && !stream(bio).send_error_) {
            ::BIO_set_retry_write(bio);
        }
        return static_cast<int>(count);
    }

    static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
        switch (command) {
            case BIO_CTRL_FLUSH:
                return 1;
            case BIO_CTRL_EOF:
                return stream(bio).truncated_ ? 1 : 0;
            default:
                return 0;
        }
    }

    static BIO* make(TlsStream& stream) {
        static BIO_METHOD* const method = make_method();
        BIO* bio = method == nullptr ? nullptr : ::BIO_new(method);
        if (bio == nullptr) {
            ::ERR_clear_error();
            throw std::bad_alloc{};
        }
        ::BIO_set_data(bio, &stream);
        ::BIO_set_init(bio, 1);
        return bio;
    }

private:
    /// For the life of the process.
    static BIO_METHOD* make_method() {
        BIO_METHOD* method = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "smw");
        if (method != nullptr) {
            ::BIO_meth_set_read(method, &SocketBio::read);
            ::BIO_meth_set_write(method, &SocketBio::write);
            ::BIO_meth_set_ctrl(method, &SocketBio::control);
        }
        return method;
    }
};

namespace {

/// SSL_get_error() looks into the thread's queue, where anybody may have left something. To look
/// costs a tenth of clearing.
void forget_errors() {
    if (::ERR_peek_error() != 0) {
        ::ERR_clear_error();
    }
}

}  // namespace

void TlsSessionDeleter::operator()(ssl_st* session) const {
    ::SSL_free(session);
}

TlsStream::TlsStream(tcp::socket& socket, TlsSession session, Side side)
    : socket_(socket), session_(std::move(session)) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    BIO* bio = SocketBio::make(*this);
    ::SSL_set_bio(session_.get(), bio, bio);
    ::SSL_set_mode(session_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    if (side == Side::Server) {
        ::SSL_set_accept_state(session_.get());
    } else {
        ::SSL_set_connect_state(session_.get());
    }
}

std::size_t TlsStream::take(char* to, std::size_t size) {
    const std::size_t count = std::min(size, input_end_ - input_begin_);
    std::memcpy(to, input_.data() + input_begin_, count);
    input_begin_ += count;
    return count;
}

std::ptrdiff_t TlsStream::send(const char* from, std::size_t size) {
    const auto count = ::send(socket_.native_handle(), from, size, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        send_error_ = {errno, boost::system::system_category()};
    }
    return count;
}

bool TlsStream::has_received() const {
    return input_begin_ != input_end_ || ::SSL_has_pending(session()) != 0;
}

TlsStream::Want TlsStream::judge(int result, error_code& error) {
    if (result > 0) {
        return Want::Nothing;
    }
    const int reason = ::SSL_get_error(session(), result);
    switch (reason) {
        case SSL_ERROR_WANT_READ:
            return Want::Input;
        case SSL_ERROR_WANT_WRITE:
            return Want::Output;
        default:
            error = failure(reason);
            ::ERR_clear_error();
            return Want::Nothing;
    }
}

error_code TlsStream::failure(int reason) const {
    if (reason == SSL_ERROR_ZERO_RETURN) {
        return asio::error::eof;
    }
    if (truncated_) {
        return asio::ssl::error::stream_truncated;
    }
    // Before what became of sending an alert about it.
    if (const unsigned long code = ::ERR_get_error(); code != 0) {
        return {static_cast<int>(code), asio::error::get_ssl_category()};
    }
    return send_error_ ? send_error_ : asio::ssl::error::unexpected_result;
}

Task<error_code> TlsStream::wait_for(Want want) {
    error_code error;
    if (want == Want::Output) {
        co_await socket_.async_wait(tcp::socket::wait_write,
                                    asio::redirect_error(asio::use_awaitable, error));
        co_return error;
    }
    const auto space = asio::buffer(input_);
    const std::size_t count =
        co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
    input_begin_ = 0;
    input_end_ = count;
    if (error == asio::error::eof) {
        truncated_ = true;  // OpenSSL knows whether a close_notify came before
        error = {};
    }
    co_return error;
}

Task<error_code> TlsStream::handshake() {
    error_code error;
    for (auto want = Want::Output; want != Want::Nothing && !error;) {
        forget_errors();
        want = judge(::SSL_do_handshake(session()), error);
        if (want != Want::Nothing) {
            error = co_await wait_for(want);
        }
    }
    co_return error;
}

Task<std::size_t> TlsStream::read_some(asio::mutable_buffer buffer, error_code& error) {
    const int size = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
    auto want = has_received() || truncated_ ? Want::Nothing : Want::Input;
    error = {};
    while (true) {
        if (want != Want::Nothing) {
            error = co_await wait_for(want);
            if (error) {
                co_return 0;
            }
        }
        forget_errors();
        const int result = ::SSL_read(session(), buffer.data(), size);
        want = judge(result, error);
        if (want == Want::Nothing && error) {
            co_return 0;
        }
        if (want == Want::Nothing) {
            tls::heard_data(session());
            co_return static_cast<std::size_t>(result);
        }
    }
}

Task<error_code> TlsStream::write(std::string_view bytes) {
    error_code error;
    while (!bytes.empty() && !error) {
        const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
        forget_errors();
        const int result = ::SSL_write(session(), bytes.data(), size);
        const auto want = judge(result, error);
        if (want != Want::Nothing) {
            error = co_await wait_for(want);
        } else if (!error) {
            bytes.remove_prefix(static_cast<std::size_t>(result));
        }
    }
    co_return error;
}

Task<error_code> TlsStream::close_notify() {
    error_code error;
    auto want = Want::Nothing;
    do {
        forget_errors();
        const int result = ::SSL_shutdown(session());
        // 0: sent, and the peer's has not come.
        want = result == 0 ? Want::Nothing : judge(result, error);
        if (want == Want::Output) {
            error = co_await wait_for(want);
        }
    } while (want == Want::Output && !error);
    co_return error;
}

}  // namespace smw::http
