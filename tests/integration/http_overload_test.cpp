// Limits that are reached: counted by kind, and said at most once a second of each kind.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <vector>

namespace smw::test {
namespace {

using std::chrono::milliseconds;

int reached(HttpServer& server, std::string_view limit) {
    const std::string value = server.metric(
        fmt::format("smw_limits_reached_total{{limit=\"{}\",listener=\"webhook\"}}", limit));
    return value.empty() ? -1 : std::stoi(value);
}

/// Its log lines.
std::size_t said(HttpServer& server, std::string_view limit) {
    return server.log().count(fmt::format("\"limit\": \"{}\"", limit));
}

class LimitsReached : public testing::Test {
protected:
    [[nodiscard]] std::size_t seconds() const {
        const auto passed = std::chrono::steady_clock::now() - start_;
        return static_cast<std::size_t>(
            std::chrono::duration_cast<std::chrono::seconds>(passed).count());
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(LimitsReached, ConnectionsAreCountedForEachWhoComesAndSaidOnceASecond) {
    auto limits = test_limits();
    limits.max_connections = 2;
    HttpServer server{{.limits = limits, .tls = false}};
    std::vector<Client> clients;
    for (int index = 0; index < 2; ++index) {
        clients.push_back(server.connect());
        ASSERT_TRUE(clients.back().send(get("/echo")));
        ASSERT_TRUE(clients.back().read_answer());
    }
    EXPECT_EQ(reached(server, "connections"), 0);
    for (int index = 0; index < 50; ++index) {
        clients.push_back(server.connect());
        ASSERT_TRUE(clients.back().ready());
    }
    EXPECT_TRUE(eventually([&] { return reached(server, "connections") == 50; }));
    EXPECT_GE(said(server, "connections"), 1U);
    EXPECT_LE(said(server, "connections"), 1 + seconds());
}

TEST_F(LimitsReached, EachOfThemIsCountedAsItself) {
    auto limits = test_limits();
    limits.handshake = limits.head = limits.body = limits.write = milliseconds{60};
    limits.max_body_bytes = 1000;
    limits.max_bytes_in_flight = 1500;
    HttpServer server{{.limits = limits}};
    const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\n";
    const auto say = [&](const std::string& bytes) {
        Client client = server.connect();
        client.send(bytes);
        return client.wait_for_end();
    };
    auto silent = server.client_settings();
    silent.handshake = false;
    EXPECT_NE(Client{silent}.wait_for_end(), End::Open);
    EXPECT_EQ(say(head), End::Orderly);
    EXPECT_EQ(say(head + "X: " + std::string(17000, 'x')), End::Orderly);
    EXPECT_EQ(say(head + "Content-Length: 9\r\n\r\nb"), End::Orderly);
    EXPECT_EQ(say(head + "Content-Length: 1001\r\n\r\n"), End::Orderly);
    EXPECT_EQ(say(head + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"), End::Orderly);
    Client holder = server.connect();
    holder.send(post("/slow", std::string(1000, 'b')));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    EXPECT_EQ(say(head + "Content-Length: 501\r\n\r\n"), End::Orderly);
    auto greedy = server.client_settings();
    greedy.receive_buffer = 4096;
    Client never_reads{greedy};
    never_reads.send(get("/big"));

    EXPECT_TRUE(eventually([&] { return reached(server, "answer-time") == 1; }));
    EXPECT_EQ(reached(server, "handshake-time"), 1);
    EXPECT_EQ(reached(server, "head-time"), 1);
    EXPECT_EQ(reached(server, "head-bytes"), 1);
    EXPECT_EQ(reached(server, "body-time"), 1);
    EXPECT_EQ(reached(server, "body-bytes"), 2);
    EXPECT_EQ(reached(server, "bytes-in-flight"), 1);
    EXPECT_EQ(reached(server, "connections"), 0);
    EXPECT_EQ(reached(server, "descriptors"), 0);
    for (const char* kind : {"answer-time", "handshake-time", "head-time", "head-bytes",
                             "body-time", "body-bytes", "bytes-in-flight"}) {
        EXPECT_EQ(said(server, kind), 1U) << kind;
    }
}

TEST_F(LimitsReached, OneKindDoesNotSilenceAnother) {
    auto limits = test_limits();
    limits.max_body_bytes = 1000;
    HttpServer server{{.limits = limits, .tls = false}};
    for (int round = 0; round < 100; ++round) {
        Client large = server.connect();
        large.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
        ASSERT_TRUE(large.read_answer());
    }
    Client long_head = server.connect();
    long_head.send("GET / HTTP/1.1\r\nX: " + std::string(17000, 'x'));
    ASSERT_TRUE(long_head.read_answer());
    EXPECT_EQ(reached(server, "body-bytes"), 100);
    EXPECT_GE(said(server, "body-bytes"), 1U);
    EXPECT_LE(said(server, "body-bytes"), 1 + seconds());
    EXPECT_EQ(said(server, "head-bytes"), 1U);
}

/// A flood of connections that say nothing cannot push a caller out while it shakes hands.
TEST(LeastIdle, WhoHasJustComeIsNotAskedToMakeRoom) {
    auto limits = test_limits();
    limits.max_connections = 1;
    limits.least_idle = milliseconds{300};
    HttpServer server{{.limits = limits}};
    const auto start = std::chrono::steady_clock::now();
    Client first = server.connect();
    ASSERT_TRUE(first.ready());
    Client next = server.connect();
    ASSERT_TRUE(next.send(get("/echo")));
    ASSERT_TRUE(next.read_answer());
    EXPECT_GE(std::chrono::steady_clock::now() - start, limits.least_idle);
    EXPECT_EQ(first.wait_for_end(), End::Orderly);
}

}  // namespace
}  // namespace smw::test
