// Kept connections that are dead, and when a request is sent again.

#include "http_client_pool_world.hpp"
#include "support/eventually.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string>

namespace smw::http {
namespace {

using test::Caller;
using test::eventually;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;

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

}  // namespace
}  // namespace smw::http
