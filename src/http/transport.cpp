#include "http/transport.hpp"

#include "http/answer.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <sys/socket.h>

namespace smw::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// For who speaks plain HTTP to us.
std::string speak_tls() {
    std::string answer;
    append_answer(answer, status_response(400, "this port speaks TLS: use https:// instead"),
                  {.keep_alive = false});
    return answer;
}

/// Null is plain text to a Transport, so want of memory must not look like it.
TlsSession make_session(const tls::ServerContext* context) {
    TlsSession session{context == nullptr ? nullptr : ::SSL_new(context->native())};
    if (context != nullptr && !session) {
        ::ERR_clear_error();
        throw std::bad_alloc{};
    }
    return session;
}

}  // namespace

Transport::Transport(tcp::socket socket, const tls::ServerContext* context,
                     const tls::Callers* callers)
    : Transport(std::move(socket), make_session(context), TlsStream::Side::Server) {
    if (tls_ && callers != nullptr) {
        callers->ask(session());
    }
}

Transport::Transport(tcp::socket socket, TlsSession session)
    : Transport(std::move(socket), std::move(session), TlsStream::Side::Client) {}

Transport::Transport(tcp::socket socket, TlsSession session, TlsStream::Side side)
    : socket_(std::move(socket)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
    socket_.set_option(asio::socket_base::keep_alive{true}, ignored);
    if (session) {
        tls_ = std::make_unique<TlsStream>(socket_, std::move(session), side);
    }
}

Transport::~Transport() = default;

Task<error_code> Transport::handshake() {
    error_code error;
    if (tls_) {
        error = co_await tls_->handshake();
        if (error.category() == asio::error::get_ssl_category() &&
            ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) {
            error_code ignored;
            const std::string answer = speak_tls();
            co_await asio::async_write(socket_, asio::buffer(answer),
                                       asio::redirect_error(asio::use_awaitable, ignored));
        }
    }
    co_return error;
}

Task<std::size_t> Transport::read_some(asio::mutable_buffer buffer, error_code& error) {
    if (tls_) {
        return tls_->read_some(buffer, error);
    }
    return socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
}

Task<error_code> Transport::write(std::string_view bytes) {
    return tls_ ? tls_->write(bytes) : write_plain(bytes);
}

Task<error_code> Transport::write_plain(std::string_view bytes) {
    error_code error;
    const auto buffer = asio::buffer(bytes);
    co_await asio::async_write(socket_, buffer, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

Task<void> Transport::shutdown(std::size_t drop_bytes) {
    error_code error;
    // A handshake that failed has said why by its alert.
    if (tls_ && socket_.is_open() && ::SSL_is_init_finished(session()) == 1) {
        co_await tls_->close_notify();
    }
    socket_.shutdown(tcp::socket::shutdown_send, error);
    std::array<char, 4096> dropped{};
    for (std::size_t count = 0; !error && count < drop_bytes;) {
        count += co_await socket_.async_read_some(asio::buffer(dropped),
                                                  asio::redirect_error(asio::use_awaitable, error));
    }
    close();
}

void Transport::cancel() {
    error_code ignored;
    socket_.cancel(ignored);
}

void Transport::close() {
    error_code ignored;
    socket_.close(ignored);
}

bool Transport::has_unread() const {
    error_code error;
    return socket_.available(error) > 0;
}

bool Transport::is_quiet() const {
    char byte = 0;
    const auto count = ::recv(const_cast<tcp::socket&>(socket_).native_handle(), &byte, 1,
                              MSG_PEEK | MSG_DONTWAIT);
    const bool nothing_came = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return nothing_came && (!tls_ || !tls_->has_received());
}

ssl_st* Transport::session() const {
    return tls_ ? tls_->session() : nullptr;
}

std::string_view Transport::tls_version() const {
    if (!tls_) {
        return "none";
    }
    switch (::SSL_version(session())) {
        case TLS1_3_VERSION:
            return "TLSv1.3";
        case TLS1_2_VERSION:
            return "TLSv1.2";
        default:
            return "none";
    }
}

}  // namespace smw::http
