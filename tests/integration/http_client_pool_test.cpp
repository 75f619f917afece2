// Connections: kept, used again, and replaced when they are dead.

#include "http_client_caller.hpp"
#include "smw/async/task_group.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

namespace smw::http {
namespace {

using test::Caller;
using test::eventually;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// What is not asked for would be taken for the next answer.
constexpr const char* kPlanted = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

void answer_all(RawConnection& connection) {
    while (!connection.read_request().empty()) {
        connection.send(kAnswer);
    }
}

void expect_ok(const Expected<ClientResponse>& response) {
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
}

Task<void> ask(Caller& caller) {
    const auto response = co_await caller.ask();
    expect_ok(response);
}

/// `count` requests at once, each on a connection of its own.
void ask_at_once(Caller& caller, int count) {
    async::TaskGroup tasks{caller.context().get_executor(), [](std::exception_ptr) {
                               FAIL();
                           }};
    for (int index = 0; index < count; ++index) {
        tasks.spawn(ask(caller));
    }
    EXPECT_TRUE(async::run(caller.context(), tasks.join(test::patience())));
}

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

TEST(HttpClientPool, DoesNotUseAConnectionThatTheServerHasClosed) {
    for (const auto end : {&RawConnection::close, &RawConnection::reset}) {
        const RawServer server{[end](RawConnection& connection) {
            connection.read_request();
            connection.send(kAnswer);
            if (connection.number() == 0) {
                (connection.*end)();
            } else {
                connection.wait_for_end();
            }
        }};
        Caller caller{server};
        expect_ok(caller.send());
        ASSERT_TRUE(eventually([&] { return server.ended() == 1; }));
        expect_ok(caller.send());
        EXPECT_EQ(server.connections(), 2);
        EXPECT_EQ(server.requests().size(), 2U);
    }
}

/// Dies when it is asked for the second time, having answered with `last_words`.
auto dies_when_asked_again(std::string last_words, int deaths) {
    return [last_words = std::move(last_words), deaths](RawConnection& connection) {
        if (connection.number() == 0) {
            connection.read_request();
            connection.send(kAnswer);
        }
        if (connection.number() < deaths) {
            connection.read_request();
            connection.send(last_words);
            connection.close();
            return;
        }
        answer_all(connection);
    };
}

TEST(HttpClientPool, AsksOnceMoreWhenAKeptConnectionDies) {
    const RawServer server{dies_when_asked_again("", 1)};
    Caller caller{server};
    expect_ok(caller.send());
    expect_ok(caller.send({.target = "/again"}));
    EXPECT_EQ(server.connections(), 2);
    ASSERT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(server.requests()[1], server.requests()[2]);
}

TEST(HttpClientPool, AsksOnceMoreForAStream) {
    const RawServer server{dies_when_asked_again("", 1)};
    Caller caller{server};
    expect_ok(caller.send());
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(caller.read(**stream), "ok");
    EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClientPool, AsksOnceMoreOnANewConnectionOnly) {
    // Two are kept; when one is dead, the other is no better.
    std::atomic<int> asked{0};
    const RawServer server{[&asked](RawConnection& connection) {
        connection.read_request();
        ++asked;
        if (connection.number() < 2) {
            eventually([&] { return asked.load() == 2; });
        }
        connection.send(kAnswer);
        connection.read_request();
        connection.close();
    }};
    Caller caller{server};
    ask_at_once(caller, 2);
    EXPECT_EQ(server.connections(), 2);
    expect_ok(caller.send());
    EXPECT_EQ(server.connections(), 3);
    EXPECT_EQ(server.requests().size(), 4U);
}

TEST(HttpClientPool, AsksOnceMoreAndNotTwice) {
    const RawServer server{dies_when_asked_again("", 9)};
    Caller caller{server};
    expect_ok(caller.send());
    const auto response = caller.send();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::Unavailable);
    EXPECT_THAT(response.error().message, HasSubstr("no answer came"));
    EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClientPool, DoesNotAskAgainWhenAnAnswerHasBegun) {
    for (const std::string begun : {"H", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"}) {
        const RawServer server{dies_when_asked_again(begun, 1)};
        Caller caller{server};
        expect_ok(caller.send());
        const auto response = caller.send();
        ASSERT_FALSE(response) << begun;
        EXPECT_EQ(response.error().code, Code::Unavailable);
        EXPECT_EQ(server.connections(), 1) << begun;
    }
}

TEST(HttpClientPool, DoesNotAskAgainOnAConnectionThatIsNew) {
    const RawServer server{[](RawConnection& connection) {
        connection.read_request();
        connection.close();
    }};
    const auto response = Caller{server}.send();
    ASSERT_FALSE(response);
    EXPECT_EQ(server.connections(), 1);
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

TEST(HttpClientPool, WaitsForOneDeadOfManyOnly) {
    for (const bool for_a_stream : {false, true}) {
        std::atomic<int> asked{0};
        const RawServer server{[&asked](RawConnection& connection) {
            if (connection.number() >= 3) {
                answer_all(connection);
                return;
            }
            connection.read_request();
            ++asked;
            eventually([&] { return asked.load() >= 3; });
            connection.send(kAnswer);
            connection.wait_for_end();
        }};
        Caller caller{server};
        ask_at_once(caller, 3);
        const auto soon = Deadline::after(std::chrono::milliseconds{200});
        std::optional<Error> end;
        if (for_a_stream) {
            caller.open({.target = "/"}, soon).map_error([&](const Error& why) { end = why; });
        } else {
            caller.send({.target = "/"}, soon).map_error([&](const Error& why) { end = why; });
        }
        ASSERT_TRUE(end);
        EXPECT_EQ(end->code, Code::DeadlineExceeded) << end->message;
        EXPECT_TRUE(eventually([&] { return server.ended() == 3; }));
        expect_ok(caller.send());
        EXPECT_EQ(server.connections(), 4);
    }
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
