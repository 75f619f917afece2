// What real API servers send, read by us and by nlohmann.

#include "reviews.hpp"

namespace smw::admission {
namespace {

using test::Json;

std::string text_of(const Json& object, const char* key) {
    return object.contains(key) ? object[key].get<std::string>() : "";
}

TEST(RecordedReviews, DecodeAsNlohmannReadsThem) {
    const auto reviews = test::recorded_reviews();
    ASSERT_GE(reviews.size(), 29U);
    for (const auto& [name, text] : reviews) {
        SCOPED_TRACE(name);
        const auto decoded = test::decode(text);
        const auto& request = decoded.request;
        const auto expected = Json::parse(text);
        const auto& from = expected["request"];
        EXPECT_EQ(request.version,
                  expected["apiVersion"] == "admission.k8s.io/v1" ? Version::V1 : Version::V1beta1);
        EXPECT_EQ(request.uid, text_of(from, "uid"));
        EXPECT_EQ(request.kind.group, text_of(from["kind"], "group"));
        EXPECT_EQ(request.kind.version, text_of(from["kind"], "version"));
        EXPECT_EQ(request.kind.kind, text_of(from["kind"], "kind"));
        EXPECT_EQ(to_string(request.operation), text_of(from, "operation"));
        EXPECT_EQ(request.namespace_, text_of(from, "namespace"));
        EXPECT_EQ(request.name, text_of(from, "name"));
        EXPECT_EQ(request.sub_resource, text_of(from, "subResource"));
        EXPECT_EQ(request.dry_run, from.value("dryRun", false));
        ASSERT_EQ(request.object.has_value(), !from["object"].is_null());
        if (request.object) {
            EXPECT_EQ(Json::parse(request.object->text()), from["object"]);
        }
    }
}

TEST(RecordedReviews, AreAnsweredInTheirOwnVersionAndUid) {
    for (const auto& [name, text] : test::recorded_reviews()) {
        SCOPED_TRACE(name);
        const auto decoded = test::decode(text);
        const auto answer = Json::parse(encode_review(decoded.request, Response{}));
        const auto asked = Json::parse(text);
        EXPECT_EQ(answer["apiVersion"], asked["apiVersion"]);
        EXPECT_EQ(answer["kind"], asked["kind"]);
        EXPECT_EQ(answer["response"]["uid"], asked["request"]["uid"]);
    }
}

}  // namespace
}  // namespace smw::admission
