// Answers of every form that HTTP/1.1 has, as bytes on a plain connection.

#include "http_client_caller.hpp"
#include "smw/json/document.hpp"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

namespace smw::http {
namespace {

using test::answer_once;
using test::Caller;
using test::RawConnection;
using test::RawServer;

struct GoodAnswer {
    const char* what;
    std::string bytes;
    unsigned status;
    std::string body;
};

const std::vector<GoodAnswer>& good_answers() {
    static const std::vector<GoodAnswer> answers{
        {"sized", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        {"sized and empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""},
        {"without a reason", "HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nno", 404, "no"},
        {"chunked",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
         200, "hello!"},
        {"chunked, with extensions and trailers",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n"
         "3;name=\"va;lue\"\r\nhel\r\n2;a=b\r\nlo\r\n0;last\r\nX-Sum: 12\r\nX-More: x\r\n\r\n",
         200, "hello"},
        {"chunked, with sizes in both cases and with zeros",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000a\r\n0123456789\r\n0B\r\n"
         "abcdefghijk\r\n00\r\n\r\n",
         200, "0123456789abcdefghijk"},
        {"chunked and empty", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200,
         ""},
        {"until the close", "HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello"},
        {"until the close, of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"},
        {"until the close and empty", "HTTP/1.1 200 OK\r\n\r\n", 200, ""},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"304 with the length of what it does not send",
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304, ""},
        {"after 100 and 103",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
         200, "hello"},
        {"a length said twice alike",
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        {"in its own coding, said so",
         "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", 200,
         "hello"},
        {"with bytes of all kinds",
         std::string{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"} +
             std::string{"\0\r\n\xff\x80\x01", 6},
         200, std::string{"\0\r\n\xff\x80\x01", 6}},
    };
    return answers;
}

TEST(HttpClientAnswers, AreReadInEveryForm) {
    for (const auto& [what, bytes, status, body] : good_answers()) {
        const RawServer server{answer_once(bytes)};
        const auto response = Caller{server}.send();
        ASSERT_TRUE(response) << what << ": " << response.error().message;
        EXPECT_EQ(response->status, status) << what;
        EXPECT_EQ(response->body, body) << what;
        EXPECT_GE(response->body.capacity(), body.size() + json::Document::kPadding) << what;
    }
}

TEST(HttpClientAnswers, AreReadHoweverTheirBytesArrive) {
    for (const auto& [what, bytes, status, body] : good_answers()) {
        const RawServer server{[&bytes = bytes](RawConnection& connection) {
            connection.read_request();
            for (std::size_t at = 0; at < bytes.size(); ++at) {
                connection.send(std::string_view{bytes}.substr(at, 1));
            }
            connection.close();
        }};
        const auto response = Caller{server}.send();
        ASSERT_TRUE(response) << what << ": " << response.error().message;
        EXPECT_EQ(response->status, status) << what;
        EXPECT_EQ(response->body, body) << what;
    }
}

TEST(HttpClientAnswers, TellWhatTheirHeadSays) {
    const RawServer server{
        answer_once("HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"
                    "Retry-After: 7\r\nContent-Length: 2\r\n\r\n{}")};
    const auto response = Caller{server}.send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 429U);
    EXPECT_EQ(response->content_type, "application/json");
    EXPECT_EQ(response->retry_after, "7");
    EXPECT_EQ(response->location, "");
    EXPECT_EQ(response->body, "{}");
}

TEST(HttpClientAnswers, ThatRedirectAreAnswersLikeOthers) {
    for (const unsigned status : {301U, 302U, 303U, 307U, 308U}) {
        const RawServer server{answer_once("HTTP/1.1 " + std::to_string(status) +
                                           " Elsewhere\r\nLocation: https://evil.example/\r\n"
                                           "Content-Length: 0\r\n\r\n")};
        const auto response = Caller{server}.send();
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, status);
        EXPECT_EQ(response->location, "https://evil.example/");
        EXPECT_EQ(server.connections(), 1);
    }
}

TEST(HttpClientAnswers, ToHeadHaveNoBody) {
    const RawServer server{[](RawConnection& connection) {
        for (auto request = connection.read_request(); !request.empty();
             request = connection.read_request()) {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            if (request.starts_with("GET ")) {
                connection.send("hello");
            }
        }
    }};
    Caller caller{server};
    const auto head = caller.send({.method = "HEAD", .target = "/"});
    ASSERT_TRUE(head) << head.error().message;
    EXPECT_EQ(head->body, "");
    const auto get = caller.send();
    ASSERT_TRUE(get) << get.error().message;
    EXPECT_EQ(get->body, "hello");
    EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClientAnswers, OfAServerThatDoesNotReadAreReadAllTheSame) {
    // Our request may meet a closed door: why is in the answer that came before.
    const RawServer server{[](RawConnection& connection) {
        connection.send("HTTP/1.1 431 Too Large\r\nContent-Length: 2\r\n\r\nno");
        connection.close();
        connection.wait_for_end();
    }};
    const auto response = Caller{server}.send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 431U);
    EXPECT_EQ(response->body, "no");
}

TEST(HttpClientAnswers, MayBeAsLargeAsTheirBound) {
    std::string body;
    for (int line = 0; body.size() < (std::size_t{4} << 20) - 20; ++line) {
        body += std::to_string(line) + "\n";
    }
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size());
    const RawServer server{answer_once(head + "\r\n\r\n" + body)};
    const auto response = Caller{server}.send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_TRUE(response->body == body) << response->body.size() << " bytes";
}

TEST(HttpClientAnswers, AreToTheRequestThatWasMeant) {
    const RawServer server{answer_once("HTTP/1.1 204 No Content\r\n\r\n")};
    ClientRequest asked{.target = "/api/v1/pods?limit=500"};
    asked.headers = {{"Accept", "application/json"}, {"Authorization", "Bearer t0ken"}};
    const auto response = Caller{server}.send(std::move(asked));
    ASSERT_TRUE(response) << response.error().message;
    ASSERT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(
        server.requests().front(),
        "GET /api/v1/pods?limit=500 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
            "\r\nUser-Agent: test/1\r\nAccept: application/json\r\n"
            "Authorization: Bearer t0ken\r\n\r\n");
}

TEST(HttpClientAnswers, AreNotAskedForWithABadRequest) {
    const RawServer server{answer_once("HTTP/1.1 204 No Content\r\n\r\n")};
    ClientRequest asked{.target = "/"};
    asked.headers = {{"Authorization", "Bearer secret\r\nX-Evil: 1"}};
    Caller caller{server};
    const auto response = caller.send(asked);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::BadRequest);
    const auto stream = caller.open(asked);
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, Code::BadRequest);
    EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace smw::http
