// What is made of answers that are no object.

#include "client/api_failure.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::client {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

ApiRequest listing() {
    ApiRequest request;
    request.verb = "list";
    request.resource.group = "migration.dcnlab.com";
    request.resource.version = "v1";
    request.resource.plural = "checkpointbackups";
    request.namespace_ = "a";
    return request;
}

const std::string kListing = "listing checkpointbackups.migration.dcnlab.com in namespace a: ";

http::ClientResponse answer(unsigned status, std::string body,
                            std::string content_type = "application/json") {
    http::ClientResponse response;
    response.status = status;
    response.body = std::move(body);
    response.content_type = std::move(content_type);
    return response;
}

std::string status_body(const std::string& fields) {
    return R"({"kind":"Status","apiVersion":"v1","status":"Failure",)" + fields + "}";
}

TEST(Refused, TellsWhatTheStatusSays) {
    const auto failure = refused(
        listing(),
        answer(410, status_body(R"("message":"too old","reason":"Expired","code":410,)"
                                R"("details":{"causes":[{"reason":"x"}],"retryAfterSeconds":3})")));
    EXPECT_EQ(failure.error.code, Code::Gone);
    EXPECT_EQ(failure.error.message, kListing + "too old");
    EXPECT_EQ(failure.status.code, 410);
    EXPECT_EQ(failure.status.reason, "Expired");
    EXPECT_EQ(failure.status.retry_after_seconds, 3);
    ASSERT_EQ(failure.status.causes.size(), 1U);
    EXPECT_EQ(failure.status.causes[0].reason, "x");
}

TEST(Refused, HasACodeForEveryStatus) {
    const struct {
        unsigned status;
        Code code;
    } cases[] = {
        {204, Code::Unavailable},  {302, Code::Unavailable}, {400, Code::BadRequest},
        {401, Code::Unauthorized}, {403, Code::Forbidden},   {404, Code::NotFound},
        {405, Code::BadRequest},   {408, Code::Unavailable}, {406, Code::UnsupportedMediaType},
        {409, Code::Conflict},     {410, Code::Gone},        {413, Code::TooLarge},
        {422, Code::BadRequest},   {425, Code::Unavailable}, {415, Code::UnsupportedMediaType},
        {429, Code::Unavailable},  {500, Code::Unavailable}, {502, Code::Unavailable},
        {503, Code::Unavailable},  {504, Code::Unavailable}, {999, Code::Unavailable},
    };
    for (const auto& [status, code] : cases) {
        const auto failure = refused(listing(), answer(status, ""));
        EXPECT_EQ(failure.error.code, code) << status;
        EXPECT_EQ(failure.status.code, static_cast<int>(status));
        EXPECT_FALSE(failure.status.reason.empty()) << status;
    }
}

TEST(Refused, BelievesHttpAboutTheCode) {
    for (const char* code : {R"("code":404)", R"("code":0)", R"("code":"x")", R"("reason":"x")"}) {
        const auto failure = refused(listing(), answer(500, status_body(code)));
        EXPECT_EQ(failure.status.code, 500) << code;
        EXPECT_EQ(failure.error.code, Code::Unavailable);
    }
}

TEST(Refused, NamesTheMissingRule) {
    auto request = listing();
    const auto failure = refused(
        request, answer(403, status_body(R"("message":"User \"x\" cannot list","code":403)")));
    EXPECT_EQ(failure.error.message,
              kListing +
                  "User \"x\" cannot list; grant it: rules: [{apiGroups: "
                  "[migration.dcnlab.com], resources: [checkpointbackups], verbs: [list]}]");
    request.resource.group = "";
    EXPECT_THAT(refused(request, answer(403, "")).error.message, HasSubstr("apiGroups: [\"\"]"));
}

TEST(Refused, NamesTheMissingRuleForTheOneObjectThatIsMeant) {
    auto request = listing();
    request.query.emplace_back("fieldSelector", "metadata.name=certs");
    const auto message = [&request] {
        return refused(request, answer(403, "")).error.message;
    };
    EXPECT_THAT(message(), HasSubstr("resourceNames: [certs], verbs: [list]"));
    request = listing();
    request.name = "certs";
    for (const auto* verb : {"update", "patch"}) {
        request.verb = verb;
        EXPECT_THAT(message(), HasSubstr(std::string{"resourceNames: [certs], verbs: ["} + verb));
    }
    request.verb = "get";
    EXPECT_THAT(message(), Not(HasSubstr("resourceNames"))) << "one of many";
}

TEST(Refused, MakesAStatusOfWhatIsNone) {
    const auto failure =
        refused(listing(), answer(404, " 404 page\n\x1b[0mnot found\n", "text/plain"));
    EXPECT_EQ(failure.status.code, 404);
    EXPECT_EQ(failure.status.reason, "NotFound");
    EXPECT_EQ(failure.error.message,
              kListing + "the answer is HTTP 404 with text/plain: 404 page??[0mnot found");
    ASSERT_EQ(failure.status.causes.size(), 1U);
    EXPECT_EQ(failure.status.causes[0].reason, "UnexpectedServerResponse");
    EXPECT_FALSE(failure.is_said_by_api_server());
    EXPECT_TRUE(
        refused(listing(), answer(404, status_body(R"("code":404)"))).is_said_by_api_server());

    for (const char* body : {"", "{", "[]", "{}", "null", R"({"kind":"Pod"})", "{\"kind\":7}"}) {
        const auto other = refused(listing(), answer(503, body));
        EXPECT_EQ(other.status.reason, "ServiceUnavailable") << body;
        EXPECT_THAT(other.error.message, HasSubstr("the answer is HTTP 503 with application/json"));
    }
    EXPECT_EQ(refused(listing(), answer(502, "", "")).error.message,
              kListing + "the answer is HTTP 502 with no content type");
}

TEST(Refused, DoesNotRepeatWhatMayBeOurOwnBody) {
    auto request = listing();
    request.name = "x";
    for (const char* verb : {"create", "update", "patch", "delete"}) {
        request.verb = verb;
        const auto failure = refused(request, answer(502, "{\"ca.key\":\"secret\"}", "text/html"));
        EXPECT_THAT(failure.error.message, EndsWith(": the answer is HTTP 502 with text/html"));
        ASSERT_EQ(failure.status.causes.size(), 1U);
        EXPECT_EQ(failure.status.causes[0].message, "");
        EXPECT_FALSE(failure.is_said_by_api_server());
        const auto absent = refused(request, answer(404, "404 page not found\n", "text/plain"));
        EXPECT_TRUE(absent.may_mean_absent()) << verb;
    }
}

TEST(Refused, DoesNotShowAValueThatStandsInASecret) {
    // kube-apiserver 1.36, of a merge patch whose result does not decode.
    const auto said = answer(
        422, status_body(R"("message":"\"\" is invalid: patch: Invalid value: \"{\\\"data\\\":)"
                         R"({\\\"ca.key\\\":\\\"c2VjcmV0\\\"}}\": json: no\n","details":{"causes":)"
                         R"([{"message":"Invalid value: \"c2VjcmV0\": json: no"}]})"));
    auto request = listing();
    request.verb = "patch";
    request.name = "x";
    EXPECT_THAT(refused(request, said).error.message, HasSubstr("c2VjcmV0"));
    request.resource = {"", "v1", "Secret", "secrets"};
    const auto failure = refused(request, said);
    EXPECT_EQ(failure.error.message,
              "patching secrets x in namespace a: \"\" is invalid: patch: Invalid value: "
              "(not shown)");
    EXPECT_THAT(failure.status.message, Not(HasSubstr("c2VjcmV0")));
    ASSERT_EQ(failure.status.causes.size(), 1U);
    EXPECT_EQ(failure.status.causes[0].message, "Invalid value: (not shown)");
    const auto immutable = answer(422, status_body(R"("message":"data: Forbidden: immutable")"));
    EXPECT_THAT(refused(request, immutable).error.message,
                EndsWith(": data: Forbidden: immutable"));
}

TEST(ReadObject, TakesTheStatusOfADeletionForAnObject) {
    const auto read = [](const char* verb, const char* status) {
        auto request = listing();
        request.verb = verb;
        request.name = "x";
        return read_object(request, answer(200, fmt::format(R"({{"kind":"Status",{}}})", status)));
    };
    EXPECT_TRUE(read("delete", R"("status":"Success")"));
    EXPECT_FALSE(read("delete", R"("status":"Failure","code":409)"));
    EXPECT_FALSE(read("delete", R"("code":200)"));
    EXPECT_FALSE(read("patch", R"("status":"Success")"));
    EXPECT_FALSE(read("get", R"("status":"Success")"));
}

TEST(Refused, CutsWhatIsLong) {
    const auto plain = refused(listing(), answer(500, std::string(10'000, 'x'), "text/html"));
    EXPECT_THAT(plain.error.message, EndsWith(": " + std::string(200, 'x')));
    const auto status = refused(
        listing(),
        answer(500, status_body(fmt::format(R"("message":"{}")", std::string(10'000, 'x')))));
    EXPECT_EQ(status.error.message, kListing + std::string(1'000, 'x'));
}

TEST(Refused, KeepsItsMessageOnOneLine) {
    const auto failure = refused(listing(), answer(500, status_body(R"("message":"a\nb\u001b")")));
    EXPECT_EQ(failure.error.message, kListing + "a?b?");
}

TEST(Refused, ReadsRetryAfterWhenTheBodyHasNone) {
    const struct {
        const char* header;
        std::optional<int> seconds;
    } cases[] = {{"7", 7},
                 {" 0 ", 0},
                 {"", std::nullopt},
                 {"-1", std::nullopt},
                 {"1.5", std::nullopt},
                 {"99999999999", std::nullopt},
                 {"Fri, 31 Dec 1999 23:59:59 GMT", std::nullopt}};
    for (const auto& [header, seconds] : cases) {
        auto response = answer(429, "");
        response.retry_after = header;
        EXPECT_EQ(refused(listing(), response).status.retry_after_seconds, seconds) << header;
        response.body = status_body(R"("details":{"retryAfterSeconds":3})");
        EXPECT_EQ(refused(listing(), response).status.retry_after_seconds, 3);
        response.body = status_body(R"("details":{"retryAfterSeconds":-3})");
        EXPECT_EQ(refused(listing(), response).status.retry_after_seconds, seconds);
    }
}

TEST(Refused, DoesNotFollowRedirects) {
    for (const char* location :
         {"https://login.example.org/\n", "https://login.example.org/\n?state=hunter2#a",
          "https://login.example.org/\n#token=hunter2?a"}) {
        auto response = answer(302, "<html>", "text/html");
        response.location = location;
        const auto failure = refused(listing(), response);
        EXPECT_EQ(failure.error.code, Code::Unavailable);
        EXPECT_EQ(failure.error.message,
                  kListing + "redirects are not followed (to https://login.example.org/?)");
        ASSERT_EQ(failure.status.causes.size(), 1U);
        EXPECT_EQ(failure.status.causes[0].reason, "UnexpectedServerResponse");
        EXPECT_FALSE(failure.is_said_by_api_server());
    }
}

TEST(Refused, MayMeanAbsentWhenAnApiServerSaysSo) {
    const struct {
        unsigned status;
        std::string body;
        const char* type;
        bool absent;
    } cases[] = {
        {404, status_body(R"("reason":"NotFound","code":404)"), "application/json", true},
        {404, "404 page not found\n", "text/plain; charset=utf-8", true},
        {404, "", "", false},
        {404, "<html>404 page not found</html>", "text/html", false},
        {404, "default backend - 404", "text/plain", false},
        {404, "{}", "application/json", false},
        {403, status_body(R"("reason":"Forbidden","code":403)"), "application/json", false},
        {503, "404 page not found\n", "text/plain", false},
    };
    for (const auto& [status, body, type, absent] : cases) {
        EXPECT_EQ(refused(listing(), answer(status, body, type)).may_mean_absent(), absent)
            << status << " " << body;
    }
    EXPECT_FALSE(unanswered(listing(), Error{Code::NotFound, "x"}).may_mean_absent());
}

TEST(Unanswered, SaysWhatWasAskedAndHasNoStatus) {
    const auto failure = unanswered(listing(), Error{Code::DeadlineExceeded, "no answer in time"});
    EXPECT_EQ(failure.error.code, Code::DeadlineExceeded);
    EXPECT_EQ(failure.error.message, kListing + "no answer in time");
    EXPECT_EQ(failure.status.code, 0);
}

TEST(ReadObject, TakesJsonObjects) {
    for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "",
                             "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}) {
        const auto read = read_object(listing(), answer(200, R"({"kind":"List"})", type));
        ASSERT_TRUE(read) << type;
        EXPECT_EQ(read->root().find("kind")->string(), "List");
    }
}

TEST(ReadObject, RefusesEverythingElse) {
    const struct {
        const char* body;
        const char* type;
        const char* reason;
    } cases[] = {
        {"", "application/json", "the answer is no JSON: "},
        {"{\"a\":", "application/json", "the answer is no JSON: "},
        {"{} x", "application/json", "the answer is no JSON: "},
        {"\xff", "application/json", "the answer is no JSON: "},
        {"[]", "application/json", "the answer is no object but array"},
        {"null", "application/json", "the answer is no object but null"},
        {"{}", "text/html", "the answer is text/html, not application/json"},
        {"{}", "application/jsonp", "the answer is application/jsonp, not application/json"},
        {"{}", "application/vnd.kubernetes.protobuf",
         "the answer is application/vnd.kubernetes.protobuf, not application/json"},
    };
    for (const auto& [body, type, reason] : cases) {
        const auto read = read_object(listing(), answer(200, body, type));
        ASSERT_FALSE(read) << body;
        EXPECT_EQ(read.error().error.code, Code::Unavailable) << body;
        EXPECT_THAT(read.error().error.message, HasSubstr(kListing + reason)) << body;
        EXPECT_EQ(read.error().status.code, 0);
    }
}

TEST(ReadObject, TakesNoStatusForAnObject) {
    const auto gone = read_object(listing(), answer(200, status_body(R"("code":410)")));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().error.code, Code::Gone);
    const auto odd = read_object(listing(), answer(200, R"({"kind":"Status","code":200})"));
    ASSERT_FALSE(odd);
    EXPECT_EQ(odd.error().status.code, 500);
    EXPECT_THAT(odd.error().error.message, Not(HasSubstr("grant")));
}

}  // namespace
}  // namespace smw::client
