#include "smw/tls/inspect_listener.hpp"

#include "smw/base/file.hpp"
#include "tls/openssl.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace smw::tls {
namespace {

using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Deleter<SSL_free>>;
using Addresses = std::unique_ptr<addrinfo, Deleter<freeaddrinfo>>;

/// The wire form of the one protocol that webhooks speak: length, name (RFC 7301).
constexpr std::string_view kAlpn = "\x08http/1.1";

std::string words_for(int error) {
    return std::generic_category().message(error);
}

tl::unexpected<Error> unavailable(std::string why) {
    return fail(Code::Unavailable, std::move(why));
}

/// Until `events` or an error on the socket.
Expected<void> wait_for(const Descriptor& socket, short events, Deadline deadline) {
    using std::chrono::ceil;
    using std::chrono::milliseconds;
    for (;;) {
        const auto left = deadline.remaining(std::chrono::steady_clock::now());
        const auto wait = std::min(ceil<milliseconds>(left), milliseconds{60'000});
        pollfd entry{socket.get(), events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(wait.count()));
        if (ready > 0) {
            return {};
        }
        if (ready < 0 && errno != EINTR) {
            return unavailable(words_for(errno));
        }
        if (deadline.passed(std::chrono::steady_clock::now())) {
            return fail(Code::DeadlineExceeded, "no answer in time");
        }
    }
}

Expected<Descriptor> connect_to(const addrinfo& address, Deadline deadline) {
    Descriptor socket{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (socket.get() < 0) {
        return unavailable(words_for(errno));
    }
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) {
        return socket;
    }
    if (errno != EINPROGRESS) {
        return unavailable(words_for(errno));
    }
    if (auto ready = wait_for(socket, POLLOUT, deadline); !ready) {
        return tl::unexpected(ready.error());
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        return unavailable(words_for(error));
    }
    return socket;
}

/// The first address that takes the connection; the error of the last one that does not.
Expected<Descriptor> connect_to(const ListenerAddress& listener, Deadline deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(listener.port);
    if (const int error = ::getaddrinfo(listener.host.c_str(), port.c_str(), &hints, &found);
        error != 0) {
        return unavailable(::gai_strerror(error));
    }
    const Addresses addresses{found};
    Error last{Code::Unavailable, "it has no address"};
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
        auto socket = connect_to(*address, deadline);
        if (socket) {
            return socket;
        }
        last = std::move(socket.error());
    }
    return tl::unexpected(std::move(last));
}

/// Over memory, so that a peer that is gone is an error and no SIGPIPE.
class Handshake {
public:
    Handshake(SSL* session, const Descriptor& socket, Deadline deadline)
        : session_(session), socket_(socket), deadline_(deadline) {
        // The session owns both.
        BIO* in = BIO_new(BIO_s_mem());
        BIO* out = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(in, -1);
        SSL_set_bio(session, in, out);
    }

    Expected<void> run() {
        for (;;) {
            ERR_clear_error();
            const int done = SSL_connect(session_);
            const int wants = SSL_get_error(session_, done);
            const auto why = done == 1 ? std::string{} : why_not();
            if (auto sent = send_all(); !sent && done != 1 && wants == SSL_ERROR_WANT_READ) {
                return sent;
            }
            if (done == 1) {
                return {};
            }
            if (wants != SSL_ERROR_WANT_READ) {
                return unavailable(why);
            }
            if (auto received = receive(); !received) {
                return received;
            }
        }
    }

private:
    static std::string why_not() {
        const auto code = ERR_peek_error();
        const auto in_words = take_openssl_error();
        const auto reason = ERR_GET_REASON(code);
        if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
            reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_RECORD_LENGTH_MISMATCH) {
            return "what answers there speaks no TLS";
        }
        return fmt::format("the handshake failed: {}", in_words);
    }

    Expected<void> send_all() {
        char* data = nullptr;
        auto left = static_cast<std::size_t>(BIO_get_mem_data(SSL_get_wbio(session_), &data));
        while (left > 0) {
            const auto sent = ::send(socket_.get(), data, left, MSG_NOSIGNAL);
            if (sent > 0) {
                data += sent;
                left -= static_cast<std::size_t>(sent);
            } else if (errno != EAGAIN && errno != EINTR) {
                return unavailable(words_for(errno));
            } else if (auto ready = wait_for(socket_, POLLOUT, deadline_); !ready) {
                return ready;
            }
        }
        static_cast<void>(BIO_reset(SSL_get_wbio(session_)));
        return {};
    }

    Expected<void> receive() {
        std::array<char, 16384> buffer{};
        for (;;) {
            const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (size > 0) {
                BIO_write(SSL_get_rbio(session_), buffer.data(), static_cast<int>(size));
                return {};
            }
            if (size == 0) {
                return unavailable("it closed the connection during the handshake");
            }
            if (errno != EAGAIN && errno != EINTR) {
                return unavailable(words_for(errno));
            }
            if (auto ready = wait_for(socket_, POLLIN, deadline_); !ready) {
                return ready;
            }
        }
    }

    SSL* session_;
    const Descriptor& socket_;
    Deadline deadline_;
};

Context make_context() {
    Context context{SSL_CTX_new(TLS_client_method())};
    // What is wrong with the certificate is for the rules to say.
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(kAlpn.data()),
                            static_cast<unsigned int>(kAlpn.size()));
    return context;
}

bool is_address(const std::string& host) {
    std::array<unsigned char, 16> bytes{};
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string chain_of(SSL* session) {
    const Bio bio{BIO_new(BIO_s_mem())};
    const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(session);
    for (int index = 0; index < sk_X509_num(chain); ++index) {
        PEM_write_bio_X509(bio.get(), sk_X509_value(chain, index));
    }
    return content(bio);
}

Expected<Shown> look(const ListenerAddress& listener, Deadline deadline) {
    const auto socket = connect_to(listener, deadline);
    if (!socket) {
        return tl::unexpected(socket.error());
    }
    const Context context = make_context();
    const Session session{SSL_new(context.get())};
    if (!is_address(listener.server_name) && !listener.server_name.empty()) {
        // SSL_set_tlsext_host_name() without its cast.
        std::string name = listener.server_name;
        SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 name.data());
    }
    auto shaken = Handshake{session.get(), *socket, deadline}.run();
    ERR_clear_error();
    Shown shown;
    shown.chain_pem = chain_of(session.get());
    // A listener that then wants a certificate of ours has shown its own.
    if (!shaken && shown.chain_pem.empty()) {
        return tl::unexpected(shaken.error());
    }
    shown.protocol = SSL_get_version(session.get());
    const unsigned char* alpn = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(session.get(), &alpn, &size);
    shown.alpn.assign(reinterpret_cast<const char*>(alpn), size);
    return shown;
}

}  // namespace

Expected<Shown> look_at_listener(const ListenerAddress& address, Deadline deadline) {
    auto shown = look(address, deadline);
    if (!shown) {
        const bool is_ipv6 = address.host.find(':') != std::string::npos;
        return annotate(shown.error(), fmt::format("connecting to {}{}{}:{}", is_ipv6 ? "[" : "",
                                                   address.host, is_ipv6 ? "]" : "", address.port));
    }
    return shown;
}

}  // namespace smw::tls
