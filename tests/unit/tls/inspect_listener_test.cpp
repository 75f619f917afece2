#include "smw/tls/inspect_listener.hpp"

#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace smw::tls {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// A listener on loopback, and a thread that deals with one connection.
class OneConnection {
public:
    explicit OneConnection(std::function<void(int)> deal) : listener_(open()) {
        thread_ = std::thread{[this, deal = std::move(deal)] {
            // The client may have gone while we still write.
            sigset_t pipe{};
            sigaddset(&pipe, SIGPIPE);
            pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
            const int connection = ::accept(listener_, nullptr, nullptr);
            if (connection >= 0) {
                deal(connection);
                ::close(connection);
            }
        }};
    }
    ~OneConnection() {
        ::shutdown(listener_, SHUT_RDWR);  // for a test that never connected
        thread_.join();
        ::close(listener_);
    }
    OneConnection(const OneConnection&) = delete;
    OneConnection& operator=(const OneConnection&) = delete;

    [[nodiscard]] ListenerAddress address(std::string name = "svc.ns.svc") const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        return {"127.0.0.1", ntohs(address.sin_port), std::move(name)};
    }

private:
    static int open() {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener, 1), 0);
        return listener;
    }

    int listener_;
    std::thread thread_;
};

int choose_http(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                unsigned int, void*) {
    *out = in + 1;
    *size = in[0];
    return SSL_TLSEXT_ERR_OK;
}

/// A TLS server for one handshake, and what it saw.
struct Server {
    std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    std::string chain_pem;
    std::string asked_for;

    Server() {
        const auto ca_key = test::make_key();
        const test::Issuer ca{test::issue({.common_name = "ca", .is_ca = true}, ca_key), ca_key};
        const auto key = test::make_key();
        const auto leaf = test::issue({}, key, &ca);
        chain_pem = test::to_pem(leaf) + test::to_pem(ca.certificate);
        SSL_CTX_use_certificate(context.get(), leaf.get());
        SSL_CTX_add1_chain_cert(context.get(), ca.certificate.get());
        SSL_CTX_use_PrivateKey(context.get(), key.get());
        SSL_CTX_set_alpn_select_cb(context.get(), choose_http, nullptr);
    }

    void serve(int connection) {
        const std::shared_ptr<SSL> session{SSL_new(context.get()), SSL_free};
        SSL_set_fd(session.get(), connection);
        SSL_accept(session.get());
        const char* name = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
        asked_for = name == nullptr ? "" : name;
        char byte = 0;
        SSL_read(session.get(), &byte, 1);  // until the peer has gone
    }
};

TEST(LookAtListener, ShowsTheChainToWhoAsksAsAnApiServerDoes) {
    Server server;
    {
        const OneConnection listener{[&](int connection) {
            server.serve(connection);
        }};
        const auto shown = look_at_listener(listener.address(), Deadline::after(seconds{60}));
        ASSERT_TRUE(shown) << shown.error().message;
        EXPECT_EQ(shown->chain_pem, server.chain_pem);
        EXPECT_EQ(shown->protocol, "TLSv1.3");
        EXPECT_EQ(shown->alpn, "http/1.1");
    }
    EXPECT_EQ(server.asked_for, "svc.ns.svc");
}

TEST(LookAtListener, SendsNoAddressAsAName) {
    for (const auto* name : {"127.0.0.1", "::1", ""}) {
        Server server;
        {
            const OneConnection listener{[&](int connection) {
                server.serve(connection);
            }};
            ASSERT_TRUE(look_at_listener(listener.address(name), Deadline::after(seconds{60})));
        }
        EXPECT_EQ(server.asked_for, "") << name;
    }
}

TEST(LookAtListener, ShowsAlsoWhatWantsACertificateOfOurs) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Server server;
        SSL_CTX_set_max_proto_version(server.context.get(), version);
        SSL_CTX_set_verify(server.context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           nullptr);
        const OneConnection listener{[&](int connection) {
            server.serve(connection);
        }};
        const auto shown = look_at_listener(listener.address(), Deadline::after(seconds{60}));
        ASSERT_TRUE(shown) << shown.error().message;
        EXPECT_EQ(shown->chain_pem, server.chain_pem);
    }
}

TEST(LookAtListener, SaysWhatIsWrongWithTheListener) {
    const auto why = [](const std::function<void(int)>& deal, Duration patience) {
        const OneConnection listener{deal};
        const auto address = listener.address();
        const auto shown = look_at_listener(address, Deadline::after(patience));
        const auto where = "connecting to 127.0.0.1:" + std::to_string(address.port) + ": ";
        EXPECT_FALSE(shown);
        EXPECT_THAT(shown.error().message, testing::StartsWith(where));
        return shown.error().message.substr(where.size());
    };
    EXPECT_EQ(why(
                  [](int connection) {
                      const std::string answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
                      ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
                      char byte = 0;
                      while (::recv(connection, &byte, 1, 0) == 1) {
                      }
                  },
                  seconds{60}),
              "what answers there speaks no TLS");
    EXPECT_EQ(why(
                  [](int connection) {
                      char bytes[4096];
                      ::recv(connection, bytes, sizeof bytes, 0);
                  },
                  seconds{60}),
              "it closed the connection during the handshake");
    EXPECT_EQ(why(
                  [](int connection) {
                      char byte = 0;
                      while (::recv(connection, &byte, 1, 0) == 1) {
                      }
                  },
                  milliseconds{50}),
              "no answer in time");
}

TEST(LookAtListener, SaysThatNobodyListens) {
    ListenerAddress address;
    {
        const OneConnection listener{[](int) {
        }};
        address = listener.address();
    }
    const auto shown = look_at_listener(address, Deadline::after(seconds{60}));
    ASSERT_FALSE(shown);
    EXPECT_THAT(shown.error().message, HasSubstr("Connection refused"));
    EXPECT_EQ(shown.error().code, Code::Unavailable);
    address.host = "no-such-host.invalid";
    EXPECT_THAT(look_at_listener(address, Deadline::after(seconds{60})).error().message,
                testing::StartsWith("connecting to no-such-host.invalid:"));
}

}  // namespace
}  // namespace smw::tls
