#include "http/answer.hpp"

#include "smw/http/router.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <string>

namespace smw::http {
namespace {

std::string bytes(const Response& response, AnswerStyle style) {
    std::string out = "before";
    append_answer(out, response, style);
    return out.substr(6);
}

Response sample() {
    Response response;
    response.status = 503;
    response.body = "{}";
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

TEST(AppendAnswer, WritesHeadAndBody) {
    EXPECT_THAT(
        bytes(sample(), {}),
        testing::MatchesRegex(
            "HTTP/1\\.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} "
            "[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT\r\nRetry-After: 1\r\n\r\n\\{\\}"));
}

TEST(AppendAnswer, SaysWhatBecomesOfTheConnection) {
    EXPECT_THAT(bytes(sample(), {}), testing::Not(testing::HasSubstr("Connection:")));
    EXPECT_THAT(bytes(sample(), {.keep_alive = false}),
                testing::HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(bytes(sample(), {.http_1_0 = true}),
                testing::HasSubstr("\r\nConnection: keep-alive\r\n"));
    EXPECT_THAT(bytes(sample(), {.keep_alive = false, .http_1_0 = true}),
                testing::HasSubstr("\r\nConnection: close\r\n"));
}

TEST(AppendAnswer, OfHeadHasTheLengthButNotTheBody) {
    const std::string text = bytes(sample(), {.without_body = true});
    EXPECT_THAT(text, testing::HasSubstr("Content-Length: 2\r\n"));
    EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
}

TEST(StatusResponse, IsAMetav1Status) {
    struct Case {
        unsigned status;
        const char* reason;
    };
    for (const auto& given : {Case{400, "BadRequest"}, Case{404, "NotFound"},
                              Case{405, "MethodNotAllowed"}, Case{408, "Timeout"},
                              Case{413, "RequestEntityTooLarge"}, Case{415, "UnsupportedMediaType"},
                              Case{500, "InternalError"}, Case{503, "ServiceUnavailable"}}) {
        const auto response = status_response(given.status, "why \"quoted\"");
        EXPECT_EQ(response.status, given.status);
        EXPECT_EQ(response.content_type, "application/json");
        const auto status = nlohmann::json::parse(response.body);
        EXPECT_EQ(status.at("kind"), "Status");
        EXPECT_EQ(status.at("apiVersion"), "v1");
        EXPECT_EQ(status.at("status"), "Failure");
        EXPECT_EQ(status.at("reason"), given.reason);
        EXPECT_EQ(status.at("message"), "why \"quoted\"");
        EXPECT_EQ(status.at("code"), given.status);
    }
    for (const unsigned status : {431U, 501U}) {
        EXPECT_EQ(nlohmann::json::parse(status_response(status, "x").body).at("code"), status);
    }
}

TEST(TextResponse, IsPlainText) {
    const auto response = text_response(200, "ok\n");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(response.body, "ok\n");
}

}  // namespace
}  // namespace smw::http
