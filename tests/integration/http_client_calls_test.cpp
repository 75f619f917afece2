// Calls that come to no answer: nobody there, no time, no more interest.

#include "http_client_caller.hpp"
#include "smw/async/task_group.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"

#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>

namespace smw::http {
namespace {

using test::Caller;
using test::eventually;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::chrono::milliseconds kMoment{20};
constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

void answer_all(RawConnection& connection) {
    while (!connection.read_request().empty()) {
        connection.send(kAnswer);
    }
}

TEST(HttpClientCalls, SayThatNobodyIsThere) {
    std::uint16_t port = 0;
    {
        const RawServer gone{answer_all};
        port = gone.port();
    }
    ClientSettings settings;
    settings.host = "127.0.0.1";
    settings.port = port;
    Caller caller{std::move(settings)};
    const auto response = caller.send();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error(),
              (Error{Code::Unavailable,
                     "connecting to 127.0.0.1:" + std::to_string(port) + ": connection refused"}));
    const auto stream = caller.open();
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error(), response.error());
}

TEST(HttpClientCalls, SayThatANameIsNotKnown) {
    ClientSettings settings;
    settings.host = "two..dots";  // no resolver is asked for what cannot be a name
    const auto response = Caller{std::move(settings)}.send();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::Unavailable);
    EXPECT_THAT(response.error().message,
                StartsWith("connecting to two..dots:443: the name cannot be resolved: "));
}

TEST(HttpClientCalls, FindAServerByName) {
    // Where localhost is ::1, too, that is tried first and refused.
    const RawServer server{answer_all};
    auto settings = test::settings_for(server);
    settings.host = "localhost";
    const auto response = Caller{std::move(settings)}.send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_THAT(server.requests().front(),
                HasSubstr("\r\nHost: localhost:" + std::to_string(server.port()) + "\r\n"));
}

TEST(HttpClientCalls, SpeakIpv6) {
    const auto pair = test::make_pair({.san = "IP:::1"});
    const RawServer server{
        answer_all, {.address = "::1", .chain_pem = pair.chain_pem, .key_pem = pair.key_pem}};
    if (!server.listens()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    auto settings = test::settings_for(server);
    settings.host = "::1";
    settings.tls = &contexts;
    const auto response = Caller{std::move(settings)}.send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_THAT(server.requests().front(),
                HasSubstr("\r\nHost: [::1]:" + std::to_string(server.port()) + "\r\n"));
}

TEST(HttpClientCalls, AskTheKernelToNoticeADeadPeer) {
    const RawServer server{answer_all};
    auto settings = test::settings_for(server);
    settings.user_timeout = std::chrono::milliseconds{12'345};
    Caller caller{std::move(settings)};
    ASSERT_TRUE(caller.send());
    int found = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        const bool connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
                               peer.sin_family == AF_INET && ntohs(peer.sin_port) == server.port();
        if (!connected) {
            continue;
        }
        const auto option = [fd](int level, int name) {
            int value = -1;
            socklen_t value_size = sizeof value;
            ::getsockopt(fd, level, name, &value, &value_size);
            return value;
        };
        ++found;
        EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 12'345);
        EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
        EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
        EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
        EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
        EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
    }
    EXPECT_EQ(found, 1);
}

struct SlowServer {
    const char* what;
    std::function<void(RawConnection&)> script;
    bool tls;
    const char* attempted;
};

/// Byte by byte, until the client has had enough.
void drip(RawConnection& connection, const std::string& begin) {
    connection.read_request();
    bool taken = connection.send(begin);
    while (taken) {
        ::poll(nullptr, 0, 2);
        taken = connection.send("x");
    }
}

TEST(HttpClientCalls, EndAtTheirDeadlineHoweverSlowTheServer) {
    const auto pair = test::make_pair();
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    const auto silent = [](RawConnection& connection) {
        connection.wait_for_end();
    };
    const SlowServer servers[] = {
        {"no handshake", silent, true, "TLS handshake with "},
        {"no answer", silent, false, "asking "},
        {"a head that drips",
         [](RawConnection& connection) { drip(connection, "HTTP/1.1 200 OK\r\nA: "); }, false,
         "reading the answer of "},
        {"a body that drips",
         [](RawConnection& connection) {
             drip(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
         },
         false, "reading the answer of "},
        {"a body that stays away",
         [](RawConnection& connection) {
             connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
             connection.wait_for_end();
         },
         false, "reading the answer of "},
        {"interim answers only",
         [](RawConnection& connection) {
             connection.send("HTTP/1.1 100 Continue\r\n\r\n");
             connection.wait_for_end();
         },
         false, "reading the answer of "},
    };
    for (const auto& [what, script, over_tls, attempted] : servers) {
        const RawServer server{script};
        auto settings = test::settings_for(server);
        settings.tls = over_tls ? &contexts : nullptr;
        Caller caller{std::move(settings)};
        const auto begun = std::chrono::steady_clock::now();
        const auto response = caller.send({.target = "/"}, Deadline::after(5 * kMoment));
        ASSERT_FALSE(response) << what;
        EXPECT_GE(std::chrono::steady_clock::now() - begun, 5 * kMoment) << what;
        EXPECT_EQ(response.error(),
                  (Error{Code::DeadlineExceeded, attempted + std::string{"127.0.0.1:"} +
                                                     std::to_string(server.port()) +
                                                     ": the deadline has passed"}))
            << what;
        EXPECT_TRUE(eventually([&] { return server.ended() == 1; })) << what << ": still open";
    }
}

TEST(HttpClientCalls, EndAtTheDeadlineOfAHead) {
    const RawServer server{[](RawConnection& connection) {
        drip(connection, "HTTP/1.1 200 ");
    }};
    Caller caller{server};
    const auto stream = caller.open({.target = "/"}, Deadline::after(5 * kMoment));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, Code::DeadlineExceeded);
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
}

TEST(HttpClientCalls, DoNotBeginAfterTheirDeadline) {
    const RawServer server{answer_all};
    Caller caller{server};
    const auto response = caller.send({.target = "/"}, Deadline::at(TimePoint{}));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::DeadlineExceeded);
    const auto stream = caller.open({.target = "/"}, Deadline::at(TimePoint{}));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, Code::DeadlineExceeded);
    EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClientCalls, MayBeWithoutADeadline) {
    const RawServer server{answer_all};
    EXPECT_TRUE(Caller{server}.send({.target = "/"}, Deadline::never()));
}

TEST(HttpClientCalls, ThatAreCancelledCloseTheirConnection) {
    for (const bool kept : {false, true}) {
        const RawServer server{[kept](RawConnection& connection) {
            if (kept) {
                connection.read_request();
                connection.send(kAnswer);
            }
            connection.read_request();
            connection.wait_for_end();
        }};
        Caller caller{server};
        if (kept) {
            ASSERT_TRUE(caller.send());
        }
        async::TaskGroup tasks{caller.context().get_executor(), [](std::exception_ptr) {
                                   FAIL();
                               }};
        std::string how;
        const auto ask = [&]() -> Task<void> {
            try {
                const auto response = co_await caller.ask();
                how = response ? "answered" : response.error().message;
            } catch (const boost::system::system_error&) {
                how = "cancelled";
                throw;
            }
        };
        tasks.spawn(ask());
        caller.context().restart();
        ASSERT_TRUE(eventually([&] {
            caller.context().poll();
            return server.requests().size() == (kept ? 2U : 1U);
        }));
        caller.cancel(tasks);
        EXPECT_EQ(how, "cancelled");
        EXPECT_TRUE(eventually([&] { return server.ended() == 1; })) << "still open";
        EXPECT_EQ(server.connections(), 1) << "and not asked again";
    }
}

TEST(HttpClientCalls, MayBeCancelledAtAnyMoment) {
    const auto pair = test::make_pair();
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    const RawServer server{answer_all, {.chain_pem = pair.chain_pem, .key_pem = pair.key_pem}};
    for (int steps = 0; steps < 40; ++steps) {
        auto settings = test::settings_for(server);
        settings.host = "localhost";
        settings.tls = &contexts;
        Caller caller{std::move(settings)};
        async::TaskGroup tasks{caller.context().get_executor(), [](std::exception_ptr) {
                                   FAIL();
                               }};
        const auto ask = [&]() -> Task<void> {
            co_await caller.ask();
        };
        tasks.spawn(ask());
        caller.context().restart();
        for (int step = 0; step < steps && tasks.size() > 0; ++step) {
            caller.context().run_one_for(async::kPatience);
        }
        caller.cancel(tasks);
    }
}

}  // namespace
}  // namespace smw::http
