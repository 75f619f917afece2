// The other side of our client, tested by a third: what a test tells it to do, it does.

#include "support/fake_api_server.hpp"

#include "support/client.hpp"
#include "support/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace smw::test {
namespace {

using ::testing::HasSubstr;

ClientSettings reach(const FakeApiServer& server) {
    ClientSettings settings;
    settings.port = server.port();
    return settings;
}

ApiReply stream_of(std::vector<Step> all) {
    ApiReply reply;
    reply.stream = steps(std::move(all));
    return reply;
}

TEST(FakeApiServer, SaysWhatItIsToldToAndRecordsTheCall) {
    FakeApiServer server{[](const ApiCall&) {
        ApiReply reply = status_reply(429, "TooManyRequests", "say \"please\"");
        reply.headers.emplace("Retry-After", "7");
        return reply;
    }};
    Client client{reach(server)};
    ASSERT_TRUE(client.ready()) << client.failure();
    client.send(get("/apis/g/v1/things?limit=5&fieldSelector=a%3Db%20c"));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 429U);
    EXPECT_EQ(answer->header("retry-after"), "7");
    EXPECT_THAT(answer->body, HasSubstr(R"("message":"say \"please\"")"));
    EXPECT_THAT(answer->body, HasSubstr(R"("code":429)"));

    const auto calls = server.calls();
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].method, "GET");
    EXPECT_EQ(calls[0].path, "/apis/g/v1/things");
    EXPECT_EQ(calls[0].parameter("limit"), "5");
    EXPECT_EQ(calls[0].parameter("fieldSelector"), "a=b c");
    EXPECT_EQ(calls[0].parameter("none"), "");
    EXPECT_EQ(calls[0].header("host"), "localhost");
    EXPECT_EQ(calls[0].client, "");
}

TEST(FakeApiServer, StreamsChunksAndClosesInGoodOrder) {
    FakeApiServer server{[](const ApiCall&) {
        return stream_of({Send{"one\n"}, Sleep{std::chrono::milliseconds{1}}, Send{"two\n"}});
    }};
    Client client{reach(server)};
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.read_all(), HasSubstr("\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"));
    EXPECT_EQ(client.end(), End::Orderly);
}

TEST(FakeApiServer, CutsInTheMiddle) {
    FakeApiServer server{[](const ApiCall&) {
        return stream_of({Send{"one\n"}, Cut{}});
    }};
    Client client{reach(server)};
    client.send(get("/"));
    EXPECT_THAT(client.read_all(), testing::EndsWith("\r\n\r\n4\r\none\n\r\n"));
    EXPECT_EQ(client.end(), End::Truncated);
}

TEST(FakeApiServer, ComesBackOnTheSamePortAfterAStopThatCutsEverything) {
    FakeApiServer server{[](const ApiCall&) {
        return stream_of({Send{"one\n"}, Hold{}});
    }};
    std::string ca = server.ca_pem();
    Client held{reach(server)};
    held.send(get("/"));
    EXPECT_EQ(held.read_answer_head_line(), "HTTP/1.1 200 OK");
    Client idle{reach(server)};
    ASSERT_TRUE(idle.ready());
    auto silent_settings = reach(server);
    silent_settings.handshake = false;
    Client silent{silent_settings};

    server.stop();
    EXPECT_NE(held.wait_for_end(), End::Open);
    EXPECT_NE(idle.wait_for_end(), End::Open);
    EXPECT_NE(silent.wait_for_end(), End::Open);
    EXPECT_FALSE(Client{reach(server)}.ready());

    server.start();
    EXPECT_EQ(server.ca_pem(), ca);
    Client again{reach(server)};
    EXPECT_TRUE(again.ready()) << again.failure();
}

TEST(FakeApiServer, HoldsManyWatchesAtOnce) {
    FakeApiServer server{[](const ApiCall& call) {
        return call.path == "/watch" ? stream_of({Send{"x"}, Hold{}}) : ApiReply{};
    }};
    std::vector<Client> watches;
    for (int count = 0; count < 20; ++count) {
        watches.emplace_back(reach(server));
        watches.back().send(get("/watch"));
        EXPECT_EQ(watches.back().read_answer_head_line(), "HTTP/1.1 200 OK");
    }
    Client other{reach(server)};
    other.send(get("/"));
    EXPECT_TRUE(other.read_answer());
}

}  // namespace
}  // namespace smw::test
