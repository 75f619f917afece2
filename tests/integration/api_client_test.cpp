// Requests and answers, with cpp-httplib on the other side.

#include "api_client_world.hpp"

#include <gmock/gmock.h>

#include <future>

namespace smw::client {
namespace {

using test::ApiCall;
using test::ApiReply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kListing = "listing checkpointbackups.migration.dcnlab.com in namespace a: ";

TEST_F(ApiClientTest, AsksAsClientGoDoes) {
    auto request = list();
    request.query = {{"limit", "500"}, {"continue", "a+b /&="}};
    const auto answered = get(request);
    ASSERT_TRUE(answered) << answered.error().error.message;
    EXPECT_EQ(answered->root().find("kind")->string(), "List");

    const auto calls = server_.calls();
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].method, "GET");
    EXPECT_EQ(calls[0].path, "/apis/migration.dcnlab.com/v1/namespaces/a/checkpointbackups");
    EXPECT_EQ(calls[0].parameter("limit"), "500");
    EXPECT_EQ(calls[0].parameter("continue"), "a+b /&=");
    EXPECT_EQ(calls[0].header("accept"), "application/json");
    EXPECT_EQ(calls[0].header("authorization"), "Bearer t");
    EXPECT_EQ(calls[0].header("host"), "127.0.0.1:" + std::to_string(server_.port()));
    EXPECT_THAT(calls[0].header("user-agent"),
                testing::MatchesRegex("stateful-migration-webhook/[0-9.]+ \\(linux\\)"));
    EXPECT_EQ(calls[0].headers.count("impersonate-user"), 0U);
}

TEST_F(ApiClientTest, DoesNotAskForWhatIsNoName) {
    auto request = list();
    request.namespace_ = "..";
    const auto listed = get(request);
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().error.code, Code::BadRequest);
    EXPECT_EQ(listed.error().error.message,
              "listing checkpointbackups.migration.dcnlab.com in namespace ..: this is no name");
    EXPECT_EQ(listed.error().status.code, 0);
    request.verb = "watch";
    const auto watched = wait_for(client().watch(request, Deadline::after(test::kPatience)));
    ASSERT_FALSE(watched);
    EXPECT_EQ(watched.error().error.code, Code::BadRequest);
    EXPECT_EQ(server_.calls().size(), 0U);
}

TEST_F(ApiClientTest, AsksForMetadataOnly) {
    auto request = list();
    request.metadata_only = true;
    ASSERT_TRUE(get(request));
    EXPECT_EQ(server_.calls()[0].header("accept"),
              "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json");
}

TEST_F(ApiClientTest, PutsThePathOfTheClusterInFront) {
    config_.path = "/k8s/clusters/c-1";
    ASSERT_TRUE(get());
    EXPECT_THAT(server_.calls()[0].path, StartsWith("/k8s/clusters/c-1/apis/migration"));
}

TEST_F(ApiClientTest, Impersonates) {
    config_.as = {"jane", "7", {"a", "b c"}};
    ASSERT_TRUE(get());
    const auto call = server_.calls()[0];
    EXPECT_EQ(call.header("impersonate-user"), "jane");
    EXPECT_EQ(call.header("impersonate-uid"), "7");
    std::vector<std::string> groups;
    const auto [first, last] = call.headers.equal_range("impersonate-group");
    for (auto group = first; group != last; ++group) {
        groups.push_back(group->second);
    }
    EXPECT_THAT(groups, ElementsAre("a", "b c"));
}

TEST_F(ApiClientTest, HasNoAuthorizationWithoutAToken) {
    config_.token = "";
    ASSERT_TRUE(get());
    EXPECT_EQ(server_.calls()[0].headers.count("authorization"), 0U);
}

TEST_F(ApiClientTest, TellsEveryFailureOfGetAndWatchAlike) {
    const struct {
        int status;
        Code code;
    } cases[] = {
        {401, Code::Unauthorized}, {403, Code::Forbidden},   {404, Code::NotFound},
        {409, Code::Conflict},     {410, Code::Gone},        {413, Code::TooLarge},
        {422, Code::BadRequest},   {429, Code::Unavailable}, {500, Code::Unavailable},
        {502, Code::Unavailable},  {503, Code::Unavailable}, {504, Code::Unavailable},
    };
    for (const auto& [status, code] : cases) {
        auto reply = test::status_reply(status, "Reason", "because");
        reply.headers.emplace("Retry-After", "7");
        answer(reply);
        const auto got = get();
        ASSERT_FALSE(got) << status;
        EXPECT_EQ(got.error().error.code, code) << status;
        EXPECT_THAT(got.error().error.message, StartsWith(kListing + "because"));
        EXPECT_EQ(got.error().status.code, status);
        EXPECT_EQ(got.error().status.reason, "Reason");
        EXPECT_EQ(got.error().status.retry_after_seconds, 7);
        const auto watched = watch();
        ASSERT_FALSE(watched) << status;
        EXPECT_EQ(watched.error().error.code, code) << status;
        EXPECT_THAT(watched.error().error.message,
                    StartsWith("watching checkpointbackups.migration.dcnlab.com in namespace a: "
                               "because"));
        EXPECT_EQ(watched.error().status, got.error().status);
    }
}

TEST_F(ApiClientTest, NamesTheRuleThatIsMissing) {
    answer(test::status_reply(403, "Forbidden"));
    EXPECT_THAT(get().error().error.message,
                HasSubstr("; grant it: rules: [{apiGroups: [migration.dcnlab.com], resources: "
                          "[checkpointbackups], verbs: [list]}]"));
    EXPECT_THAT(watch().error().error.message, HasSubstr("verbs: [watch]"));
}

TEST_F(ApiClientTest, DoesNotFollowRedirects) {
    for (const int status : {301, 302, 307, 308}) {
        ApiReply reply;
        reply.status = status;
        reply.headers.emplace("Location", "https://elsewhere.example.org/x");
        answer(reply);
        const auto before = server_.calls().size();
        const auto got = get();
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().error.code, Code::Unavailable);
        EXPECT_EQ(got.error().status.code, status);
        EXPECT_EQ(got.error().error.message,
                  kListing + "redirects are not followed (to https://elsewhere.example.org/x)");
        EXPECT_FALSE(watch());
        EXPECT_EQ(server_.calls().size(), before + 2);
    }
}

TEST_F(ApiClientTest, ReadsWhatNoApiServerSays) {
    const auto said = [this](int status, const char* type, std::string body) {
        ApiReply reply;
        reply.status = status;
        reply.content_type = type;
        reply.body = std::move(body);
        answer(reply);
        const auto got = get();
        EXPECT_FALSE(got) << reply.body;
        return got ? Failure{} : got.error();
    };
    const auto page = said(404, "text/plain", "404 page not found\n");
    EXPECT_EQ(page.error.code, Code::NotFound);
    EXPECT_EQ(page.status.code, 404);
    EXPECT_EQ(page.error.message,
              kListing + "the answer is HTTP 404 with text/plain: 404 page not found");
    EXPECT_EQ(said(200, "text/html", "<html>").error.message,
              kListing + "the answer is text/html, not application/json");
    for (const char* body : {"", "{", "{}{}", "garbage", "[1]", "7"}) {
        const auto failure = said(200, "application/json", body);
        EXPECT_EQ(failure.error.code, Code::Unavailable) << body;
        EXPECT_EQ(failure.status.code, 0) << body;
    }
    EXPECT_EQ(said(200, "application/json", R"({"kind":"Status","code":410})").error.code,
              Code::Gone);
}

TEST_F(ApiClientTest, BoundsAnAnswer) {
    for (const bool chunked : {false, true}) {
        const std::string body = R"({"a":")" + std::string(std::size_t{4} << 20, 'x') + R"("})";
        if (chunked) {
            answer_steps({test::Send{body}});
        } else {
            ApiReply reply;
            reply.body = body;
            answer(reply);
        }
        const auto got = get();
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().error.code, Code::TooLarge) << got.error().error.message;
        EXPECT_EQ(got.error().status.code, 0);
    }
    answer_steps({test::Send{R"({"a":")"}, test::Send{std::string(std::size_t{3} << 20, 'x')},
                  test::Send{R"("})"}});
    EXPECT_TRUE(get());
}

TEST_F(ApiClientTest, EndsAtItsDeadline) {
    using std::chrono::milliseconds;
    std::promise<void> released;
    answer([silent = released.get_future().share()](const ApiCall&) {
        silent.wait_for(test::kPatience);
        return ApiReply{};
    });
    for (const auto& failure : {get(list(), milliseconds{50}).error(),
                                watch(milliseconds{50}).error(), get(list(), {}).error()}) {
        EXPECT_EQ(failure.error.code, Code::DeadlineExceeded) << failure.error.message;
        EXPECT_EQ(failure.status.code, 0);
    }
    released.set_value();
    answer_steps({test::Send{"{"}, test::Hold{}});
    EXPECT_EQ(get(list(), milliseconds{50}).error().error.code, Code::DeadlineExceeded);
}

TEST_F(ApiClientTest, FindsTheServerAgainAfterARestart) {
    ASSERT_TRUE(get());
    server_.stop();
    server_.start();
    EXPECT_TRUE(get()) << "the pooled connection is dead, and nobody notices";
    server_.stop();
    const auto refused = get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, Code::Unavailable);
    EXPECT_EQ(refused.error().status.code, 0);
    EXPECT_THAT(refused.error().error.message, HasSubstr("127.0.0.1:"));
    server_.start();
    EXPECT_TRUE(get());
}

TEST_F(ApiClientTest, IsCutInTheMiddleOfABody) {
    answer_steps({test::Send{R"({"kind":)"}, test::Cut{}});
    const auto got = get();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().error.code, Code::Unavailable);
    EXPECT_EQ(got.error().status.code, 0);
}

}  // namespace
}  // namespace smw::client
