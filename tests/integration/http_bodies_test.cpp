// Bodies against their limits: the cap on one, the budget for all, 100-continue.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

namespace smw::test {
namespace {

http::Limits small_bodies() {
    auto limits = test_limits();
    limits.max_body_bytes = 1000;
    limits.max_bytes_in_flight = 1500;
    return limits;
}

std::string head_with(std::string_view target, std::string_view headers) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}\r\n", target, headers);
}

std::string chunk(std::size_t size) {
    return fmt::format("{:x}\r\n{}\r\n", size, std::string(size, 'c'));
}

TEST(BodyCap, OneByteMoreByContentLengthIs413AndAClose) {
    HttpServer server{{.limits = small_bodies()}};
    Client fits = server.connect();
    fits.send(post("/echo", std::string(1000, 'b')));
    const auto taken = fits.read_answer();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->status, 200U);

    Client client = server.connect();
    client.send(head_with("/echo", "Content-Length: 1001\r\n"));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413U);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), End::Orderly);
}

TEST(BodyCap, IsKeptWhileChunksArrive) {
    HttpServer server{{.limits = small_bodies()}};
    Client fits = server.connect();
    fits.send(head_with("/echo", "Transfer-Encoding: chunked\r\n") + chunk(600) + chunk(400) +
              "0\r\n\r\n");
    const auto taken = fits.read_answer();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->status, 200U);

    Client client = server.connect();
    client.send(head_with("/echo", "Transfer-Encoding: chunked\r\n") + chunk(600));
    client.send("191\r\n");  // 401
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413U);
    EXPECT_EQ(client.wait_for_end(), End::Orderly);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
}

TEST(BodyCap, LengthsBeyondMemoryAreAnswered) {
    HttpServer server{{.limits = small_bodies()}};
    for (const char* length : {"18446744073709551615", "9223372036854775807", "4294967296"}) {
        Client client = server.connect();
        client.send(head_with("/echo", fmt::format("Content-Length: {}\r\n", length)));
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer) << length;
        EXPECT_EQ(answer->status, 413U) << length;
    }
    Client client = server.connect();
    client.send(head_with("/echo", "Transfer-Encoding: chunked\r\n") + "ffffffffffffffff\r\n");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413U);
}

TEST(Refusal, IsSeenByACallerThatIsStillSending) {
    auto limits = test_limits();
    limits.drop = kPatience;
    HttpServer server{{.limits = limits}};
    Client client = server.connect();
    const std::size_t size = std::size_t{6} << 20;
    client.send(head_with("/unread", fmt::format("Content-Length: {}\r\n", size)));
    const std::string piece(std::size_t{64} << 10, 'p');
    for (std::size_t sent = 0; sent < size; sent += piece.size()) {
        ASSERT_TRUE(client.send(piece)) << "reset after " << sent;
    }
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413U);
    EXPECT_EQ(client.wait_for_end(), End::Orderly);
}

TEST(Refusal, IsNotListenedToForever) {
    auto limits = test_limits();
    limits.drop = kPatience;
    limits.drop_bytes = std::size_t{1} << 20;
    HttpServer server{{.limits = limits, .tls = false}};
    Client client = server.connect();
    client.send(head_with("/unread", "Content-Length: 1000000000\r\n"));
    const std::string piece(std::size_t{64} << 10, 'p');
    std::size_t sent = 0;
    while (sent < (std::size_t{256} << 20) && client.send(piece)) {
        sent += piece.size();
    }
    EXPECT_LT(sent, std::size_t{256} << 20);
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
}

TEST(Refusal, DoesNotWaitForAPeerThatNeverCloses) {
    HttpServer server{};
    Client client = server.connect();
    client.send(head_with("/unread", "Content-Length: 1000\r\n"));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
}

TEST(Continue, IsSentWhenTheServiceAsksForTheBody) {
    HttpServer server{};
    Client client = server.connect();
    client.send(head_with("/echo", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.read_answer_head_line(), "HTTP/1.1 100 Continue");
    client.send("ab");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo?\nab");
    client.send(get("/echo?next"));
    EXPECT_TRUE(client.read_answer());
}

TEST(Continue, IsNotSentWhenTheBodyIsThereAlready) {
    HttpServer server{};
    Client client = server.connect();
    client.send(head_with("/echo", "Content-Length: 2\r\nExpect: 100-continue\r\n") + "ab");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo?\nab");
    EXPECT_EQ(client.continues(), 0);
}

TEST(Continue, IsSentForChunks) {
    HttpServer server{};
    Client client = server.connect();
    client.send(head_with("/echo", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.read_answer_head_line(), "HTTP/1.1 100 Continue");
    client.send(chunk(3) + "0\r\n\r\n");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo?\nccc");
}

TEST(Continue, IsNotSentForABodyThatIsRefused) {
    HttpServer server{{.limits = small_bodies()}};
    for (const char* target : {"/unread", "/echo"}) {
        Client client = server.connect();
        client.send(head_with(target, "Content-Length: 1001\r\nExpect: 100-continue\r\n"));
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 413U);
        EXPECT_EQ(client.continues(), 0);
        EXPECT_EQ(client.wait_for_end(), End::Orderly);
    }
}

TEST(BytesInFlight, OverTheBudgetTheServiceSeesUnavailable) {
    HttpServer server{{.limits = small_bodies()}};
    Client first = server.connect();
    first.send(post("/slow", std::string(1000, 'b')));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    EXPECT_EQ(server.listener().bytes_in_flight(), 1000U);

    Client second = server.connect();
    second.send(head_with("/echo", "Content-Length: 501\r\n"));
    const auto refused = second.read_answer();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503U);
    EXPECT_EQ(refused->header("retry-after"), "1");
    EXPECT_EQ(second.wait_for_end(), End::Orderly);

    Client chunks = server.connect();
    chunks.send(head_with("/echo", "Transfer-Encoding: chunked\r\n") + chunk(500) + chunk(1));
    const auto refused_chunk = chunks.read_answer();
    ASSERT_TRUE(refused_chunk);
    EXPECT_EQ(refused_chunk->status, 503U);

    Client fits = server.connect();
    fits.send(post("/echo", std::string(500, 'b')));
    const auto taken = fits.read_answer();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->status, 200U);

    server.service().open();
    ASSERT_TRUE(first.read_answer());
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
}

TEST(BytesInFlight, OneBodyAlwaysFits) {
    auto limits = test_limits();
    limits.max_body_bytes = 100000;
    limits.max_bytes_in_flight = 10;
    HttpServer server{{.limits = limits}};
    Client client = server.connect();
    client.send(post("/echo", std::string(100000, 'b')));
    const auto sized = client.read_answer();
    ASSERT_TRUE(sized);
    EXPECT_EQ(sized->status, 200U);
    client.send(head_with("/echo", "Transfer-Encoding: chunked\r\n") + chunk(40000) + chunk(60000) +
                "0\r\n\r\n");
    const auto chunks = client.read_answer();
    ASSERT_TRUE(chunks);
    EXPECT_EQ(chunks->status, 200U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
}

TEST(BytesInFlight, AreGivenBackWhenTheCallerGoes) {
    HttpServer server{{.limits = small_bodies()}};
    for (const bool reset : {false, true}) {
        Client client = server.connect();
        client.send(head_with("/echo", "Content-Length: 900\r\n") + "b");
        ASSERT_TRUE(eventually([&] { return server.listener().bytes_in_flight() == 900; }));
        if (reset) {
            client.reset();
        } else {
            client.half_close();
        }
        EXPECT_TRUE(eventually([&] { return server.listener().bytes_in_flight() == 0; }));
    }
}

TEST(BytesInFlight, AreGivenBackWhenTheBodyIsMalformed) {
    HttpServer server{{.limits = small_bodies()}};
    Client client = server.connect();
    client.send(head_with("/echo", "Transfer-Encoding: chunked\r\n") + chunk(900) + "x\r\n");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 400U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
}

TEST(BytesInFlight, AreGivenBackWhenTheBodyComesTooLate) {
    auto limits = small_bodies();
    limits.body = std::chrono::milliseconds{50};
    HttpServer server{{.limits = limits}};
    Client client = server.connect();
    client.send(head_with("/echo", "Content-Length: 900\r\n") + "b");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
}

TEST(BytesInFlight, AreGivenBackWhenTheServiceThrows) {
    HttpServer server{};
    Client client = server.connect();
    client.send(post("/read-and-throw", std::string(900, 'b')));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
}

}  // namespace
}  // namespace smw::test
