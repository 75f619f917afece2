// Answers of every form, good and bad, as bytes on a plain connection.

#include "http_client_caller.hpp"
#include "smw/json/document.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

namespace smw::http {
namespace {

using test::Caller;
using test::RawConnection;
using test::RawServer;
using test::settings_for;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// Sends `answer` to the first request of each connection, and closes.
auto answer_once(std::string answer) {
    return [answer = std::move(answer)](RawConnection& connection) {
        connection.read_request();
        connection.send(answer);
        connection.close();
    };
}

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
         "3;name=\"va;lue\"\r\nhel\r\n2 ; a=b\r\nlo\r\n0;last\r\nX-Sum: 12\r\nX-More: x\r\n\r\n",
         200, "hello"},
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
        {"with bytes of all values",
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

TEST(HttpClientAnswers, TellWhatTheirHeadSays) {
    const RawServer server{
        answer_once("HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"
                    "Retry-After: 7\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\n{}")};
    const auto response = Caller{server}.send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 429U);
    EXPECT_EQ(response->content_type, "application/json");
    EXPECT_EQ(response->retry_after, "7");
    EXPECT_EQ(response->location, "/elsewhere");
    EXPECT_EQ(response->body, "{}");
}

TEST(HttpClientAnswers, ThatAreNoHttpAreRefused) {
    for (const char* bytes : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
                              "HTTP/1.1 2000 OK\r\n\r\n", "220 ready to take mail\r\n"}) {
        const RawServer server{answer_once(bytes)};
        const auto response = Caller{server}.send();
        ASSERT_FALSE(response) << bytes;
        EXPECT_EQ(response.error().code, Code::Unavailable) << bytes;
        EXPECT_THAT(response.error().message,
                    StartsWith("reading the answer of 127.0.0.1:" + std::to_string(server.port()) +
                               ": this is no HTTP: "))
            << bytes;
    }
}

}  // namespace
}  // namespace smw::http
