// A Service that throws: 500 with a Status, logged; the connection and the process live.

#include "support/http_server.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace smw::test {
namespace {

class Defect : public testing::TestWithParam<const char*> {};

TEST_P(Defect, IsA500AndTheConnectionLives) {
    HttpServer server{};
    Client client = server.connect();
    for (int round = 1; round <= 2; ++round) {
        ASSERT_TRUE(client.send(get(GetParam())));
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 500U);
        const auto status = nlohmann::json::parse(answer->body);
        EXPECT_EQ(status.at("kind"), "Status");
        EXPECT_EQ(status.at("reason"), "InternalError");
        EXPECT_EQ(server.log().count("Defect while answering a request"),
                  static_cast<std::size_t>(round));
    }
    ASSERT_TRUE(client.send(get("/echo")));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U);
}

INSTANTIATE_TEST_SUITE_P(Thrown, Defect, testing::Values("/throw", "/throw-odd"),
                         [](const auto& given) {
                             return given.index == 0 ? "AsException" : "AsSomethingElse";
                         });

TEST(Defect, DoesNotKeepABodyThatNobodyRead) {
    HttpServer server{};
    Client client = server.connect();
    ASSERT_TRUE(client.send(post("/throw", "body")));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500U);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), End::Orderly);
}

}  // namespace
}  // namespace smw::test
