// Connections that are kept and used again, or not.

#include "http_client_pool_world.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace smw::http {
namespace {

using test::Caller;
using test::eventually;
using test::RawConnection;
using test::RawServer;

/// What is not asked for would be taken for the next answer.
constexpr const char* kPlanted = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

/// Reads no answer before the server has the request and `meanwhile` is over.
template <class Function>
void ask_and(Caller& caller, const RawServer& server, Function meanwhile) {
    async::TaskGroup tasks{caller.context().get_executor(), [](std::exception_ptr) {
                               FAIL();
                           }};
    tasks.spawn(ask(caller));
    ASSERT_TRUE(eventually([&] {
        caller.context().poll();
        return server.requests().size() == 1;
    }));
    meanwhile();
    EXPECT_TRUE(async::run(caller.context(), tasks.join(test::patience())));
}

TEST(HttpClientPool, UsesAConnectionAgain) {
    const std::vector<std::string> answers{
        kAnswer,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    };
    const RawServer server{[&answers](RawConnection& connection) {
        for (const auto& answer : answers) {
            connection.read_request();
            connection.send(answer);
        }
        connection.wait_for_end();
    }};
    Caller caller{server};
    for (const auto& answer : answers) {
        const auto response = caller.send();
        ASSERT_TRUE(response) << answer << response.error().message;
        EXPECT_EQ(server.connections(), 1) << answer;
    }
}

TEST(HttpClientPool, DoesNotUseAConnectionAgainThatEnds) {
    const std::vector<std::string> answers{
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n\r\nok",
    };
    for (const auto& answer : answers) {
        const RawServer server{[&answer](RawConnection& connection) {
            while (!connection.read_request().empty()) {
                connection.send(answer);
                if (answer.ends_with("OK\r\n\r\nok")) {
                    connection.close();
                }
            }
        }};
        Caller caller{server};
        expect_ok(caller.send());
        expect_ok(caller.send());
        EXPECT_EQ(server.connections(), 2) << answer;
    }
}

TEST(HttpClientPool, DoesNotTrustAConnectionOnWhichMoreThanTheAnswerCame) {
    for (const bool at_once : {true, false}) {
        std::atomic<bool> planted{false};
        const RawServer server{[at_once, &planted](RawConnection& connection) {
            connection.read_request();
            const std::string more = connection.number() == 0 ? kPlanted : "";
            connection.send(at_once ? kAnswer + more : kAnswer);
            connection.send(at_once ? "" : more);
            planted = true;
            connection.wait_for_end();
        }};
        Caller caller{server};
        expect_ok(caller.send());
        ASSERT_TRUE(eventually([&] { return planted.load(); }));
        expect_ok(caller.send());
        EXPECT_EQ(server.connections(), 2);
    }
}

TEST(HttpClientPool, DoesNotTrustAConnectionOnWhichASecondTlsRecordCame) {
    const auto pair = test::make_pair();
    std::atomic<bool> go_on{false};
    std::atomic<bool> planted{false};
    const RawServer server{[&go_on, &planted](RawConnection& connection) {
                               connection.read_request();
                               eventually([&] { return go_on.load(); });
                               connection.send(kAnswer);
                               planted = connection.number() > 0 || connection.send(kPlanted);
                               connection.wait_for_end();
                           },
                           {.chain_pem = pair.chain_pem, .key_pem = pair.key_pem}};
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    Caller caller{std::move(settings)};
    ask_and(caller, server, [&] {
        go_on = true;
        // One read of the socket takes both records.
        EXPECT_TRUE(eventually([&] { return planted.load(); }));
    });
    expect_ok(caller.send());
    EXPECT_EQ(server.connections(), 2);
}

/// Answers a first request when all `count` connections have theirs.
auto answers_when_all_have_asked(int count, std::atomic<int>& asked) {
    return [count, &asked](RawConnection& connection) {
        connection.read_request();
        ++asked;
        eventually([&] { return asked.load() >= count; });
        connection.send(kAnswer);
        answer_all(connection);
    };
}

TEST(HttpClientPool, KeepsNoMoreThanItMay) {
    std::atomic<int> asked{0};
    const RawServer server{answers_when_all_have_asked(3, asked)};
    auto settings = test::settings_for(server);
    settings.max_idle_connections = 2;
    Caller caller{std::move(settings)};
    ask_at_once(caller, 3);
    EXPECT_EQ(server.connections(), 3);
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; })) << "the third is closed";
}

TEST(HttpClientPool, PrefersWhatWasUsedLast) {
    // The others grow old, and a server closes what is idle for long.
    std::atomic<int> asked{0};
    const RawServer server{[&asked](RawConnection& connection) {
        connection.read_request();
        ++asked;
        eventually([&] { return asked.load() >= 3; });
        connection.send(kAnswer);
        while (!connection.read_request().empty()) {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" +
                            std::to_string(connection.number()));
        }
    }};
    Caller caller{server};
    ask_at_once(caller, 3);
    const auto first = caller.send();
    ASSERT_TRUE(first) << first.error().message;
    for (int count = 0; count < 3; ++count) {
        const auto next = caller.send();
        ASSERT_TRUE(next) << next.error().message;
        EXPECT_EQ(next->body, first->body);
    }
    EXPECT_EQ(server.connections(), 3);
}

TEST(HttpClientPool, MayKeepNone) {
    const RawServer server{answer_all};
    auto settings = test::settings_for(server);
    settings.max_idle_connections = 0;
    Caller caller{std::move(settings)};
    expect_ok(caller.send());
    expect_ok(caller.send());
    EXPECT_EQ(server.connections(), 2);
    EXPECT_TRUE(eventually([&] { return server.ended() == 2; }));
}

TEST(HttpClientPool, ClosesWhatIsIdleWhenToldTo) {
    const RawServer server{answer_all};
    Caller caller{server};
    expect_ok(caller.send());
    caller.client().close_idle();
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
    expect_ok(caller.send());
    EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClientPool, DoesNotKeepWhatWasMadeWithOldCredentials) {
    std::atomic<bool> go_on{false};
    const RawServer server{[&go_on](RawConnection& connection) {
        connection.read_request();
        eventually([&] { return go_on.load(); });
        connection.send(kAnswer);
        answer_all(connection);
    }};
    Caller caller{server};
    ask_and(caller, server, [&] {
        caller.client().close_idle();
        go_on = true;
    });
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
    expect_ok(caller.send());
    EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClientPool, ClosesAllAtItsEnd) {
    const RawServer server{answer_all};
    {
        Caller caller{server};
        expect_ok(caller.send());
        EXPECT_EQ(server.ended(), 0);
    }
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
}

}  // namespace
}  // namespace smw::http
