#include "smw/kube/meta.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace smw::kube {
namespace {

using Json = nlohmann::json;

TEST(Status, IsAFailureOfMetaV1) {
    const auto text = to_json(Status{.code = 400, .reason = "BadRequest", .message = "no uid"});
    EXPECT_EQ(Json::parse(text), Json::parse(R"({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "no uid", "reason": "BadRequest", "code": 400})"));
}

TEST(Status, LeavesEmptyTextsOut) {
    EXPECT_EQ(Json::parse(to_json(Status{.code = 500})), Json::parse(R"({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 500})"));
}

TEST(Status, SaysWhenToComeBack) {
    const auto status = Json::parse(to_json(Status{.code = 503, .retry_after_seconds = 1}));
    EXPECT_EQ(status["details"], Json::parse(R"({"retryAfterSeconds": 1})"));
}

TEST(Status, NamesItsCauses) {
    const Status status{
        .code = 422,
        .reason = "Invalid",
        .causes = {{.reason = "FieldValueInvalid", .message = "bad", .field = "spec.image"},
                   {.message = "only this"}}};
    EXPECT_EQ(Json::parse(to_json(status))["details"], Json::parse(R"({"causes": [
        {"reason": "FieldValueInvalid", "message": "bad", "field": "spec.image"},
        {"message": "only this"}]})"));
}

TEST(Status, EscapesItsMessage) {
    const Status status{.code = 500, .message = "a \"quote\"\nand \\ \x01"};
    EXPECT_EQ(Json::parse(to_json(status))["message"], status.message);
}

TEST(Status, IsReadAsItIsWritten) {
    const Status status{.code = 504,
                        .reason = "Timeout",
                        .message = "Too large resource version",
                        .retry_after_seconds = 1,
                        .causes = {{.reason = "ResourceVersionTooLarge", .message = "too large"}}};
    const auto document = json::Document::parse(to_json(status));
    ASSERT_TRUE(document);
    EXPECT_EQ(read_status(document->root()), status);
}

TEST(Status, MistypedFieldsAreAsAbsent) {
    for (const auto* text :
         {R"({"kind": "Status"})",
          R"({"kind": "Status", "code": "410", "reason": 5, "message": [], "details": "no"})",
          R"({"kind": "Status", "code": 99999999999, "details": {"causes": 1}})",
          R"({"kind": "Status", "code": 1.5, "details": {"retryAfterSeconds": "soon"}})"}) {
        const auto document = json::Document::parse(text);
        ASSERT_TRUE(document) << text;
        EXPECT_EQ(read_status(document->root()), Status{.code = 0}) << text;
    }
}

TEST(Status, OfAnotherKindIsNone) {
    for (const auto* text :
         {"{}", "[]", "5", R"({"kind": "Pod", "code": 410})", R"({"kind": 5})"}) {
        const auto document = json::Document::parse(text);
        ASSERT_TRUE(document) << text;
        EXPECT_FALSE(read_status(document->root())) << text;
    }
}

struct ErrorCase {
    Code code;
    int http_status;
    std::string_view reason;
};

TEST(Status, MapsEveryErrorCode) {
    const ErrorCase cases[] = {
        {Code::BadRequest, 400, "BadRequest"},
        {Code::NotFound, 404, "NotFound"},
        {Code::Conflict, 409, "Conflict"},
        {Code::Gone, 410, "Gone"},
        {Code::Unauthorized, 401, "Unauthorized"},
        {Code::Forbidden, 403, "Forbidden"},
        {Code::TooLarge, 413, "RequestEntityTooLarge"},
        {Code::UnsupportedMediaType, 415, "UnsupportedMediaType"},
        {Code::DeadlineExceeded, 504, "Timeout"},
        {Code::Unavailable, 503, "ServiceUnavailable"},
        {Code::Cancelled, 500, "InternalError"},
        {Code::Internal, 500, "InternalError"},
    };
    for (const auto& [code, http_status, reason] : cases) {
        const auto status = status_of(Error{.code = code, .message = "why"});
        EXPECT_EQ(status.code, http_status) << reason;
        EXPECT_EQ(status.reason, reason);
        EXPECT_EQ(status.message, "why");
        EXPECT_FALSE(status.retry_after_seconds);
    }
}

}  // namespace
}  // namespace smw::kube
