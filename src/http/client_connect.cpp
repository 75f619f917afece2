#include "http/client_connect.hpp"

#include "smw/async/sleep.hpp"
#include "smw/async/with_deadline.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <vector>

namespace smw::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// A peer that is quiet for half a minute is asked whether it is there, three times.
constexpr int kProbeAfterSeconds = 30;
constexpr int kProbeEverySeconds = 10;
constexpr int kProbes = 3;

using Endpoints = std::vector<tcp::endpoint>;

bool is_address(const std::string& host) {
    error_code error;
    asio::ip::make_address(host, error);
    return !error;
}

/// A lookup in the resolver's own thread. It cannot be broken off, so what it still refers to when
/// nobody waits any more is here.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor)
        : resolver(executor), answered(executor, asio::steady_timer::time_point::max()) {}

    tcp::resolver resolver;
    asio::steady_timer answered;  ///< cancelled when the answer has come
    error_code error;
    Endpoints endpoints;
    bool done = false;
};

Task<Expected<Endpoints>> look_up(std::string host, std::uint16_t port) {
    const auto executor = co_await asio::this_coro::executor;
    const auto lookup = std::make_shared<Lookup>(executor);
    auto on_answer = [lookup](const error_code& error, const tcp::resolver::results_type& entries) {
        lookup->done = true;
        lookup->error = error;
        for (const auto& entry : entries) {
            lookup->endpoints.push_back(entry.endpoint());
        }
        lookup->answered.cancel();
    };
    lookup->resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                                   std::move(on_answer));
    error_code ignored;
    co_await lookup->answered.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (!lookup->done) {
        lookup->resolver.cancel();
    }
    co_await async::throw_if_cancelled();
    if (lookup->error) {
        co_return fail(Code::Unavailable,
                       fmt::format("the name cannot be resolved: {}", in_words(lookup->error)));
    }
    co_return std::move(lookup->endpoints);
}

Task<Expected<Endpoints>> find_endpoints(const ClientSettings& settings) {
    error_code not_an_address;
    const auto address = asio::ip::make_address(settings.host, not_an_address);
    if (not_an_address) {
        co_return co_await look_up(settings.host, settings.port);
    }
    co_return Endpoints(1, tcp::endpoint{address, settings.port});
}

/// Without these a connection whose peer vanished stays for hours (tcp(7)).
void notice_a_dead_peer(tcp::socket& socket, Duration user_timeout) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    const auto unanswered =
        static_cast<unsigned>(duration_cast<milliseconds>(user_timeout).count());
    const int fd = socket.native_handle();
    // One that the kernel refuses is missed later by the call's deadline only.
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kProbeAfterSeconds, sizeof kProbeAfterSeconds);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kProbeEverySeconds, sizeof kProbeEverySeconds);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof unanswered);
}

Task<error_code> connect_to(tcp::socket& socket, tcp::endpoint endpoint, Duration user_timeout) {
    error_code error;
    socket.open(endpoint.protocol(), error);
    if (!error) {
        notice_a_dead_peer(socket, user_timeout);
        co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
}

/// Of the first of `count` addresses that are left to try.
Deadline share_of(Deadline deadline, std::size_t count) {
    if (count == 1 || deadline.is_never()) {
        return Deadline::never();
    }
    const auto now = std::chrono::steady_clock::now();
    return Deadline::at(now + deadline.remaining(now) / static_cast<Duration::rep>(count));
}

/// Whom the server's certificate must be for: SNI (RFC 6066 3, names only) and the check.
bool expect_server(ssl_st* session, const std::string& name) {
    X509_VERIFY_PARAM* wanted = ::SSL_get0_param(session);
    if (is_address(name)) {
        return ::X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
    }
    ::X509_VERIFY_PARAM_set_hostflags(
        wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // What the macro SSL_set_tlsext_host_name does, without its old cast.
    return ::SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                      const_cast<char*>(name.c_str())) == 1 &&
           ::X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1;
}

/// "example.org." is the same host as "example.org", which is what certificates say.
std::string name_of_server(const ClientSettings& settings) {
    std::string name = settings.server_name.empty() ? settings.host : settings.server_name;
    if (name.ends_with('.')) {
        name.pop_back();
    }
    return name;
}

Task<Expected<std::unique_ptr<Transport>>> secure(tcp::socket socket, TlsSession session,
                                                  std::string name) {
    if (!session || !expect_server(session.get(), name)) {
        ::ERR_clear_error();
        co_return fail(Code::Internal, fmt::format("no certificate can be for \"{}\"", name));
    }
    auto transport = std::make_unique<Transport>(std::move(socket), std::move(session));
    const error_code failed = co_await transport->handshake();
    if (failed) {
        co_return fail(Code::Unavailable, in_words(failed, transport->session(), name));
    }
    co_return std::move(transport);
}

}  // namespace

Task<Expected<tcp::socket>> connect_to_any(Endpoints endpoints, Duration user_timeout,
                                           Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    error_code last = asio::error::host_not_found;
    std::size_t left = endpoints.size();
    for (const auto& endpoint : endpoints) {
        tcp::socket socket{executor};
        auto trial = connect_to(socket, endpoint, user_timeout);
        const auto tried =
            co_await async::with_deadline(std::move(trial), share_of(deadline, left));
        last = tried.value_or(asio::error::timed_out);
        if (!last) {
            co_return std::move(socket);
        }
        --left;
    }
    const bool several = endpoints.size() > 1;
    co_return fail(Code::Unavailable, several ? fmt::format("{} (the last of {} addresses)",
                                                            in_words(last), endpoints.size())
                                              : in_words(last));
}

Task<Expected<std::unique_ptr<Transport>>> connect(const ClientSettings& settings,
                                                   Deadline deadline, Phase& phase) {
    phase = Phase::Connecting;
    std::shared_ptr<const tls::ClientContext> context;
    if (settings.tls != nullptr) {
        context = settings.tls->load();
        if (!context) {
            co_return fail(Code::Unavailable, "there are no certificates to trust yet");
        }
    }
    auto endpoints = co_await find_endpoints(settings);
    if (!endpoints) {
        co_return tl::unexpected(std::move(endpoints.error()));
    }
    auto socket = co_await connect_to_any(std::move(*endpoints), settings.user_timeout, deadline);
    if (!socket) {
        co_return tl::unexpected(std::move(socket.error()));
    }
    if (!context) {
        co_return std::make_unique<Transport>(std::move(*socket), TlsSession{});
    }
    phase = Phase::ShakingHands;
    TlsSession session{::SSL_new(context->native())};
    co_return co_await secure(std::move(*socket), std::move(session), name_of_server(settings));
}

}  // namespace smw::http
