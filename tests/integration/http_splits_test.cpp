// Requests in pieces, and requests of which the rest never comes: where the network cuts makes no
// difference.

#include "support/http_server.hpp"

#include <gtest/gtest.h>

#include <string>

namespace smw::test {
namespace {

std::string chunked(const std::string& body) {
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

TEST(Head, SplitAtEveryByteIsTheSameRequest) {
    HttpServer server{{.tls = false}};
    Client client = server.connect();
    const std::string request = post("/echo?x", "hello");
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
        ASSERT_TRUE(client.send(request.substr(0, cut)));
        ASSERT_TRUE(client.send(request.substr(cut)));
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer) << "cut at " << cut;
        ASSERT_EQ(answer->body, "POST /echo?x\nhello") << "cut at " << cut;
    }
}

TEST(Chunks, SplitAtEveryByteAreTheSameBody) {
    HttpServer server{};
    Client client = server.connect();
    const std::string request = chunked("3;e=1\r\nabc\r\n1\r\nd\r\n0\r\nX: y\r\n\r\n");
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
        ASSERT_TRUE(client.send(request.substr(0, cut)));
        ASSERT_TRUE(client.send(request.substr(cut)));
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer) << "cut at " << cut;
        ASSERT_EQ(answer->body, "POST /echo?\nabcd") << "cut at " << cut;
    }
    for (const char byte : request) {
        ASSERT_TRUE(client.send(std::string(1, byte)));
    }
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo?\nabcd");
}

TEST(Chunks, OfAnEmptyBodyMayComeSplitAtEveryByte) {
    HttpServer server{};
    Client client = server.connect();
    const std::string request = chunked("0\r\n\r\n");
    for (int round = 0; round < 5; ++round) {
        for (const char byte : request) {
            ASSERT_TRUE(client.send(std::string(1, byte)));
        }
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body, "POST /echo?\n");
    }
}

class TruncatedRequest : public testing::TestWithParam<bool> {};

TEST_P(TruncatedRequest, EndsTheConnectionAndNothingElse) {
    HttpServer server{{.tls = GetParam()}};
    for (const std::string& request :
         {post("/echo", "hello"), chunked("3;e=1\r\nabc\r\n0\r\nX: y\r\n\r\n")}) {
        for (std::size_t cut = 0; cut < request.size(); ++cut) {
            Client client = server.connect();
            ASSERT_TRUE(client.ready()) << client.failure();
            ASSERT_TRUE(client.send(request.substr(0, cut)));
            client.half_close();
            EXPECT_EQ(client.read_all(), "") << "cut at " << cut;
            EXPECT_EQ(client.end(), End::Orderly) << "cut at " << cut;
        }
    }
    Client client = server.connect();
    client.send(post("/echo", "hello"));
    client.half_close();
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << "a request that was complete before the FIN is answered";
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
    EXPECT_EQ(server.log().count(log::Level::Error), 0U) << server.log().text();
}

INSTANTIATE_TEST_SUITE_P(Over, TruncatedRequest, testing::Bool(),
                         [](const auto& given) { return given.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace smw::test
