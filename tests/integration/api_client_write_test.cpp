// Requests that change something, with cpp-httplib on the other side.

#include "api_client_world.hpp"

#include <gmock/gmock.h>

#include <future>

namespace smw::client {
namespace {

using test::ApiCall;
using test::ApiReply;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kSecretText = "VGhpcyBpcyBhIGtleQ==";

ApiWrite writing(std::string verb) {
    ApiWrite write;
    write.request.verb = std::move(verb);
    write.request.resource.version = "v1";
    write.request.resource.plural = "secrets";
    write.request.namespace_ = "x";
    if (write.request.verb != "create") {
        write.request.name = "stateful-migration-webhook-ca";
    }
    write.body.json = std::string{R"({"data":{"ca.key":")"} + kSecretText + R"("}})";
    return write;
}

const std::string kPatching = "patching secrets stateful-migration-webhook-ca in namespace x: ";

ApiReply object_reply(int status) {
    ApiReply reply;
    reply.status = status;
    reply.body = R"({"kind":"Secret","metadata":{"resourceVersion":"7"}})";
    return reply;
}

TEST_F(ApiClientTest, SendsWhatIsWritten) {
    const struct {
        const char* verb;
        const char* method;
        const char* path;
        int status;
    } cases[] = {
        {"create", "POST", "/api/v1/namespaces/x/secrets", 201},
        {"update", "PUT", "/api/v1/namespaces/x/secrets/stateful-migration-webhook-ca", 200},
        {"patch", "PATCH", "/api/v1/namespaces/x/secrets/stateful-migration-webhook-ca", 200},
        {"delete", "DELETE", "/api/v1/namespaces/x/secrets/stateful-migration-webhook-ca", 202},
    };
    for (const auto& [verb, method, path, status] : cases) {
        answer(object_reply(status));
        auto write = writing(verb);
        write.content_type = kMergePatch;
        write.request.query = {{"fieldManager", "stateful-migration-webhook"}, {"force", "true"}};
        const auto written = this->write(write);
        ASSERT_TRUE(written) << written.error().error.message;
        EXPECT_EQ(written->root().find("metadata")->find("resourceVersion")->string(), "7");
        const auto call = server_.calls().back();
        EXPECT_EQ(call.method, method);
        EXPECT_EQ(call.path, path);
        EXPECT_EQ(call.body, write.body.json);
        EXPECT_EQ(call.header("content-type"), "application/merge-patch+json");
        EXPECT_EQ(call.header("content-length"), std::to_string(write.body.json.size()));
        EXPECT_EQ(call.header("authorization"), "Bearer t");
        EXPECT_EQ(call.header("accept"), "application/json");
        EXPECT_EQ(call.parameter("fieldManager"), "stateful-migration-webhook");
        EXPECT_EQ(call.parameter("force"), "true");
    }
    EXPECT_EQ(server_.calls().size(), 4U);
}

TEST_F(ApiClientTest, SendsALargeBodyWhole) {
    answer(object_reply(200));
    auto write = writing("update");
    write.body.json = R"({"a":")" + std::string(std::size_t{2} << 20, 'x') + R"("})";
    ASSERT_TRUE(this->write(write));
    EXPECT_EQ(server_.calls().back().body, write.body.json);
    ASSERT_TRUE(get()) << "the connection is in step";
}

TEST_F(ApiClientTest, DeletesWithoutABody) {
    ApiReply reply;
    reply.body = R"({"kind":"Status","apiVersion":"v1","status":"Success"})";
    answer(reply);
    auto write = writing("delete");
    write.body.json.clear();
    const auto written = this->write(write);
    ASSERT_TRUE(written) << written.error().error.message;
    EXPECT_EQ(written->root().find("status")->string(), "Success");
    EXPECT_EQ(server_.calls().back().headers.count("content-type"), 0U);
}

TEST_F(ApiClientTest, DoesNotWriteWhatCannotBeMeant) {
    const auto refuse = [this](ApiWrite write, const char* why) {
        const auto written = this->write(std::move(write));
        ASSERT_FALSE(written) << why;
        EXPECT_EQ(written.error().error.code, Code::BadRequest);
        EXPECT_EQ(written.error().status.code, 0);
        EXPECT_THAT(written.error().error.message, HasSubstr(why));
        EXPECT_THAT(written.error().error.message, Not(HasSubstr(kSecretText)));
    };
    auto named = writing("create");
    named.request.name = "a";
    refuse(named, "the name of what is created belongs in its body");
    for (const char* verb : {"update", "patch", "delete"}) {
        auto nameless = writing(verb);
        nameless.request.name.clear();
        refuse(nameless, "this is no name");
    }
    for (const char* verb : {"create", "update", "patch"}) {
        auto empty = writing(verb);
        empty.body.json.clear();
        refuse(empty, "there is nothing to write");
    }
    for (const char* verb : {"get", "list", "watch", "deletecollection", ""}) {
        refuse(writing(verb), "this verb writes nothing");
    }
    auto typed = writing("patch");
    typed.content_type = "text/plain\r\nX-Remote-User: admin";
    refuse(typed, "Content-Type");
    EXPECT_EQ(server_.calls().size(), 0U);
}

TEST_F(ApiClientTest, TellsWhyNothingWasWritten) {
    const struct {
        int status;
        const char* reason;
        Code code;
    } cases[] = {
        {403, "Forbidden", Code::Forbidden},
        {404, "NotFound", Code::NotFound},
        {409, "Conflict", Code::Conflict},
        {409, "AlreadyExists", Code::Conflict},
        {413, "RequestEntityTooLarge", Code::TooLarge},
        {415, "UnsupportedMediaType", Code::UnsupportedMediaType},
        {422, "Invalid", Code::BadRequest},
        {429, "TooManyRequests", Code::Unavailable},
        {500, "InternalError", Code::Unavailable},
        {503, "ServiceUnavailable", Code::Unavailable},
    };
    for (const auto& [status, reason, code] : cases) {
        answer(test::status_reply(status, reason, "field is immutable"));
        const auto written = write(writing("patch"));
        ASSERT_FALSE(written) << status;
        EXPECT_EQ(written.error().error.code, code) << status;
        EXPECT_EQ(written.error().status.reason, reason);
        EXPECT_THAT(written.error().error.message, StartsWith(kPatching + "field is immutable"));
        EXPECT_EQ(server_.calls().back().body, writing("patch").body.json);
    }
    answer(test::status_reply(403, "Forbidden"));
    EXPECT_THAT(write(writing("create")).error().error.message,
                HasSubstr("; grant it: rules: [{apiGroups: [\"\"], resources: [secrets], verbs: "
                          "[create]}]"));
}

TEST_F(ApiClientTest, TakesNoOtherAnswerForASuccess) {
    for (const int status : {204, 301, 302, 307, 308}) {
        auto reply = object_reply(status);
        reply.headers.emplace("Location", "/elsewhere");
        answer(reply);
        const auto before = server_.calls().size();
        EXPECT_FALSE(write(writing("update"))) << status;
        EXPECT_EQ(server_.calls().size(), before + 1);
    }
    for (const char* body : {"", "{", "[1]", R"({"kind":"Status","code":500})"}) {
        ApiReply reply;
        reply.body = body;
        answer(reply);
        EXPECT_FALSE(write(writing("update"))) << body;
    }
}

TEST_F(ApiClientTest, NeverRepeatsABody) {
    // As whoever debugs a load balancer may let it.
    for (const int status : {200, 400, 404, 502}) {
        for (const char* type : {"application/json", "text/plain"}) {
            answer([status = status, type](const ApiCall& call) {
                ApiReply reply;
                reply.status = status;
                reply.content_type = type;
                reply.body = "you sent " + call.body;
                return reply;
            });
            const auto written = write(writing("patch"));
            ASSERT_FALSE(written);
            EXPECT_THAT(written.error().error.message, StartsWith(kPatching));
            EXPECT_THAT(written.error().error.message, Not(HasSubstr(kSecretText)));
            for (const auto& cause : written.error().status.causes) {
                EXPECT_THAT(cause.message, Not(HasSubstr(kSecretText)));
            }
        }
    }
}

TEST_F(ApiClientTest, WritesOnceMoreWithATokenThatIsReadAgain) {
    config_.token_file = folder_.path() / "token";
    folder_.write("token", "one");
    answer([this](const ApiCall& call) {
        if (call.header("authorization") == "Bearer one") {
            folder_.write("token", "two");
            return test::status_reply(401, "Unauthorized");
        }
        return object_reply(201);
    });
    ASSERT_TRUE(write(writing("create")));
    const auto calls = server_.calls();
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_EQ(calls[1].header("authorization"), "Bearer two");
    EXPECT_EQ(calls[0].body, calls[1].body);
    EXPECT_EQ(calls[1].body, writing("create").body.json);
}

TEST_F(ApiClientTest, WritesOnceMoreWhenAKeptConnectionIsDead) {
    answer(object_reply(200));
    ASSERT_TRUE(write(writing("update")));
    server_.stop();
    server_.start();
    ASSERT_TRUE(write(writing("update")));
    EXPECT_EQ(server_.calls().back().body, writing("update").body.json);
}

TEST_F(ApiClientTest, EndsAWriteAtItsDeadline) {
    std::promise<void> released;
    answer([silent = released.get_future().share()](const ApiCall&) {
        silent.wait_for(test::kPatience);
        return ApiReply{};
    });
    const auto written = write(writing("patch"), std::chrono::milliseconds{50});
    released.set_value();
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().error.code, Code::DeadlineExceeded);
    EXPECT_THAT(written.error().error.message, StartsWith(kPatching));
}

TEST_F(ApiClientTest, BoundsTheAnswerToAWrite) {
    ApiReply reply;
    reply.body = R"({"a":")" + std::string(std::size_t{4} << 20, 'x') + R"("})";
    answer(reply);
    const auto written = write(writing("patch"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().error.code, Code::TooLarge);
}

}  // namespace
}  // namespace smw::client
