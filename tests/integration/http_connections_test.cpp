// How many connections there may be, and which of them makes room for the next.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace smw::test {
namespace {

http::Limits at_most(std::size_t connections) {
    auto limits = test_limits();
    limits.max_connections = connections;
    return limits;
}

bool answers(Client& client) {
    return client.send(get("/echo")) && client.read_answer().has_value();
}

TEST(MaxConnections, TheLongestIdleMakesRoom) {
    HttpServer server{{.limits = at_most(3)}};
    std::vector<Client> clients;
    for (int index = 0; index < 3; ++index) {
        clients.push_back(server.connect());
        ASSERT_TRUE(answers(clients.back()));
    }
    ASSERT_TRUE(answers(clients[0]));  // now the second has been idle for longest
    Client next = server.connect();
    ASSERT_TRUE(next.ready()) << next.failure();
    EXPECT_TRUE(answers(next));
    EXPECT_EQ(clients[1].wait_for_end(), End::Orderly);
    EXPECT_TRUE(answers(clients[0]));
    EXPECT_TRUE(answers(clients[2]));
}

TEST(MaxConnections, BusyOnesAreNotTouched) {
    HttpServer server{{.limits = at_most(2)}};
    Client busy = server.connect();
    busy.send(get("/slow"));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    for (int round = 0; round < 5; ++round) {
        Client next = server.connect();
        ASSERT_TRUE(next.ready());
        ASSERT_TRUE(answers(next));
    }
    server.service().open();
    EXPECT_TRUE(busy.read_answer());
}

TEST(MaxConnections, WithoutAnIdleOneTheNextWaitsUntilOneBecomesIdle) {
    HttpServer server{{.limits = at_most(2)}};
    Client first = server.connect();
    Client second = server.connect();
    first.send(get("/slow"));
    second.send(get("/slow"));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 2; }));
    auto settings = server.client_settings();
    settings.handshake = false;
    Client third{settings};
    ASSERT_TRUE(third.ready()) << "the system accepts into the backlog";
    EXPECT_EQ(server.listener().connections(), 2U);
    server.service().open();
    ASSERT_TRUE(third.start_tls()) << third.failure();
    EXPECT_TRUE(answers(third));
    EXPECT_TRUE(first.read_answer());
    EXPECT_TRUE(second.read_answer());
    EXPECT_LE(server.listener().connections(), 2U);
}

TEST(MaxConnections, WithoutAnIdleOneTheNextWaitsUntilOneEnds) {
    HttpServer server{{.limits = at_most(1)}};
    Client first = server.connect();
    first.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nb");
    ASSERT_TRUE(eventually([&] { return server.listener().bytes_in_flight() == 900; }));
    auto settings = server.client_settings();
    settings.handshake = false;
    Client second{settings};
    ASSERT_TRUE(second.ready());
    first.reset();
    ASSERT_TRUE(second.start_tls()) << second.failure();
    EXPECT_TRUE(answers(second));
}

TEST(MaxConnections, SilentOnesInTheHandshakeMakeRoom) {
    HttpServer server{{.limits = at_most(4)}};
    auto settings = server.client_settings();
    settings.handshake = false;
    std::vector<Client> silent;
    for (int index = 0; index < 12; ++index) {
        silent.emplace_back(settings);
        ASSERT_TRUE(silent.back().ready());
    }
    const auto start = std::chrono::steady_clock::now();
    Client next = server.connect();
    ASSERT_TRUE(next.ready()) << next.failure();
    EXPECT_TRUE(answers(next));
    EXPECT_LT(std::chrono::steady_clock::now() - start, test_limits().handshake);
}

TEST(MaxConnections, TwoThousandAgainstSixtyFour) {
    HttpServer server{{.limits = at_most(64), .tls = false}};
    std::vector<Client> clients;
    for (int index = 0; index < 2000; ++index) {
        clients.push_back(server.connect());
        ASSERT_TRUE(clients.back().ready()) << index << ": " << clients.back().failure();
        if (index % 100 == 0) {
            ASSERT_TRUE(answers(clients.back())) << index;
        }
    }
    Client next = server.connect();
    ASSERT_TRUE(next.ready());
    EXPECT_TRUE(answers(next));
    EXPECT_LE(server.listener().connections(), 64U);
    EXPECT_TRUE(
        eventually([&] { return server.metric("smw_connections{listener=\"webhook\"}") == "64"; }));
}

TEST(MaxConnections, AreCountedAndLeaveTheCount) {
    HttpServer server{};
    {
        Client one = server.connect();
        Client two = server.connect();
        ASSERT_TRUE(answers(one));
        ASSERT_TRUE(answers(two));
        EXPECT_EQ(server.metric("smw_connections{listener=\"webhook\"}"), "2");
    }
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
    EXPECT_EQ(server.metric("smw_connections{listener=\"webhook\"}"), "0");
}

}  // namespace
}  // namespace smw::test
