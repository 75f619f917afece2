// Peers that are slow or silent: each phase has its time, and ends alone.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <gmock/gmock.h>

namespace smw::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShort{60};

Duration time_of(const std::function<void()>& action) {
    const auto start = std::chrono::steady_clock::now();
    action();
    return std::chrono::steady_clock::now() - start;
}

TEST(SlowPeer, ThatSendsHalfAHeadGets408) {
    auto limits = test_limits();
    limits.head = kShort;
    HttpServer server{{.limits = limits}};
    Client client = server.connect();
    client.send("POST /echo HT");
    std::optional<Answer> answer;
    EXPECT_GE(time_of([&] { answer = client.read_answer(); }), kShort);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408U);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), End::Orderly);
}

TEST(SlowPeer, ThatTricklesAHeadHasNoMoreTime) {
    auto limits = test_limits();
    limits.head = kShort;
    HttpServer server{{.limits = limits, .tls = false}};
    Client client = server.connect();
    client.send("GET /echo HTTP/1.1\r\nHost: a\r\n");
    EXPECT_TRUE(eventually([&] {
        client.send("X: y\r\n");
        return client.ended_now();
    }));
}

TEST(SlowPeer, ThatSendsHalfABodyGets408) {
    auto limits = test_limits();
    limits.body = kShort;
    HttpServer server{{.limits = limits}};
    for (const char* half :
         {"Content-Length: 10\r\n\r\nabc", "Content-Length: 10\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
        Client client = server.connect();
        client.send(std::string{"POST /echo HTTP/1.1\r\nHost: a\r\n"} + half);
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer) << half;
        EXPECT_EQ(answer->status, 408U) << half;
        EXPECT_EQ(client.wait_for_end(), End::Orderly) << half;
    }
}

TEST(SlowPeer, HasTheServicesDeadlineForItsBodyWhenThatIsNearer) {
    HttpServer server{};
    server.service().set_body_deadline(kShort);
    Client client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408U);
}

TEST(SlowPeer, ThatStaysIdleIsClosed) {
    auto limits = test_limits();
    limits.idle = kShort;
    HttpServer server{{.limits = limits}};
    Client silent = server.connect();
    EXPECT_GE(time_of([&] { EXPECT_EQ(silent.wait_for_end(), End::Orderly); }), milliseconds{1});

    Client client = server.connect();
    client.send(get("/echo"));
    ASSERT_TRUE(client.read_answer());
    EXPECT_EQ(client.wait_for_end(), End::Orderly);
}

TEST(SlowPeer, IsNotIdleWhileItsRequestIsServed) {
    auto limits = test_limits();
    limits.idle = kShort;
    limits.head = kShort;
    limits.body = kShort;
    HttpServer server{{.limits = limits}};
    Client client = server.connect();
    client.send(get("/slow"));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    // Another connection lives through the whole of the times that must not end the first.
    Client other = server.connect();
    EXPECT_EQ(other.wait_for_end(), End::Orderly);
    server.service().open();
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U);
}

TEST(SlowPeer, ThatNeverShakesHandsIsClosed) {
    auto limits = test_limits();
    limits.handshake = kShort;
    HttpServer server{{.limits = limits}};
    auto settings = server.client_settings();
    settings.handshake = false;
    Client silent{settings};
    EXPECT_EQ(silent.wait_for_end(), End::Orderly);
    Client half{settings};
    half.send_raw(std::string{"\x16\x03\x01\x02\x00\x01", 6});
    EXPECT_NE(half.wait_for_end(), End::Open);
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
}

TEST(SlowPeer, ThatNeverReadsItsAnswerIsCutWhileOthersAreServed) {
    auto limits = test_limits();
    limits.write = milliseconds{300};
    HttpServer server{{.limits = limits, .shards = 1}};
    auto settings = server.client_settings();
    settings.receive_buffer = 4096;
    Client greedy{settings};
    greedy.send(get("/big") + get("/echo?never-read"));
    Client other = server.connect();
    while (server.listener().connections() == 2) {
        ASSERT_TRUE(other.send(get("/echo")));
        ASSERT_TRUE(other.read_answer());
    }
    EXPECT_EQ(server.service().served_of("never-read"), 0);
    EXPECT_FALSE(greedy.read_answer()) << "the answer was cut";
}

TEST(SlowPeer, MayTakeABigAnswerSlowly) {
    HttpServer server{};
    auto settings = server.client_settings();
    settings.receive_buffer = 65536;
    Client client{settings};
    client.send(get("/big"));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body.size(), kBigBytes);
}

}  // namespace
}  // namespace smw::test
