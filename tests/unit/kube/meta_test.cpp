#include "smw/kube/meta.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::kube {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

json::Document parsed(std::string text) {
    auto document = json::Document::parse(std::move(text));
    EXPECT_TRUE(document) << document.error().message;
    return std::move(document).value();
}

TEST(GroupOf, ReadsTheGroupOfAnApiVersion) {
    EXPECT_EQ(group_of("batch/v1"), "batch");
    EXPECT_EQ(group_of("migration.dcnlab.com/v1"), "migration.dcnlab.com");
    EXPECT_EQ(group_of("v1"), "");
    EXPECT_EQ(group_of(""), "");
    EXPECT_EQ(group_of("/v1"), "");
    EXPECT_EQ(group_of("batch/"), "batch");
}

TEST(GroupOf, TakesNothingWithTwoSlashesForItsFirstPart) {
    EXPECT_NE(group_of("batch/v1/x"), "batch");
}

TEST(OptionalFields, AbsentAndNullAreEmpty) {
    const auto document = parsed(R"({"s": null, "b": null, "o": null})");
    for (const std::string_view key : {"s", "b", "o", "absent"}) {
        EXPECT_EQ(optional_string(document.root(), key, "request").value(), "");
        EXPECT_FALSE(optional_boolean(document.root(), key, "request").value());
        EXPECT_FALSE(optional_object(document.root(), key, "request").value());
    }
}

TEST(OptionalFields, AreReadInTheirType) {
    const auto document = parsed(R"({"s": "text", "b": true, "o": {"k": 1}})");
    EXPECT_EQ(optional_string(document.root(), "s", "request").value(), "text");
    EXPECT_TRUE(optional_boolean(document.root(), "b", "request").value());
    const auto object = optional_object(document.root(), "o", "request").value();
    ASSERT_TRUE(object);
    EXPECT_TRUE(object->find("k"));
}

TEST(OptionalFields, RefuseEveryOtherTypeNamingThePath) {
    struct Mistyped {
        std::string_view value;
        std::string_view described;
    };
    const Mistyped values[] = {{"true", "a boolean"},       {"7", "a number"},
                               {R"("secret")", "a string"}, {"[1]", "an array"},
                               {"{}", "an object"},         {"1.5", "a number"}};
    for (const auto& [value, described] : values) {
        const auto document = parsed(R"({"f": )" + std::string{value} + "}");
        const auto tail = std::string{", not "} + std::string{described};
        const auto text = optional_string(document.root(), "f", "request");
        const auto flag = optional_boolean(document.root(), "f", "request");
        const auto object = optional_object(document.root(), "f", "request");
        ASSERT_EQ(text.has_value(), described == "a string");
        ASSERT_EQ(flag.has_value(), described == "a boolean");
        ASSERT_EQ(object.has_value(), described == "an object");
        if (!text) {
            EXPECT_EQ(text.error().code, Code::BadRequest);
            EXPECT_EQ(text.error().message, "request.f must be a string" + tail);
        }
        if (!flag) {
            EXPECT_EQ(flag.error().code, Code::BadRequest);
            EXPECT_EQ(flag.error().message, "request.f must be a boolean" + tail);
        }
        if (!object) {
            EXPECT_EQ(object.error().code, Code::BadRequest);
            EXPECT_EQ(object.error().message, "request.f must be an object" + tail);
        }
    }
}

TEST(OwnerReferences, AreReadInTheirOrder) {
    const auto document = parsed(R"({"ownerReferences": [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u1", "controller": true},
        {"apiVersion": "v1", "kind": "Node", "name": "n", "controller": false},
        {}]})");
    const auto references = read_owner_references(document.root(), "metadata").value();
    ASSERT_EQ(references.size(), 3U);
    EXPECT_EQ(references[0].api_version, "batch/v1");
    EXPECT_EQ(references[0].kind, "Job");
    EXPECT_EQ(references[0].name, "train");
    EXPECT_EQ(references[0].uid, "u1");
    EXPECT_TRUE(references[0].controller);
    EXPECT_EQ(references[1].name, "n");
    EXPECT_FALSE(references[1].controller);
    EXPECT_EQ(references[2].kind, "");
}

TEST(OwnerReferences, ThatNameNothingAreNotKeptInNumbers) {
    std::string text = R"({"ownerReferences": [)";
    for (int index = 0; index < 1000; ++index) {
        text += "{},";
    }
    const auto document = parsed(text + R"({"apiVersion": "batch/v1", "kind": "Job"}]})");
    const auto references = read_owner_references(document.root(), "metadata").value();
    EXPECT_LT(references.size(), 10U);
    EXPECT_EQ(references.back().kind, "Job");
}

TEST(OwnerReferences, AbsentAndNullAreNone) {
    for (const auto* text : {"{}", R"({"ownerReferences": null})", R"({"ownerReferences": []})",
                             R"({"ownerReferences": [null, null]})", "null"}) {
        const auto document = parsed(text);
        const auto references = read_owner_references(document.root(), "metadata");
        ASSERT_TRUE(references) << text;
        EXPECT_TRUE(references->empty()) << text;
    }
}

TEST(OwnerReferences, NullFieldsAreEmpty) {
    const auto document = parsed(R"({"ownerReferences": [
        {"apiVersion": null, "kind": null, "name": null, "uid": null, "controller": null}]})");
    const auto references = read_owner_references(document.root(), "metadata").value();
    ASSERT_EQ(references.size(), 1U);
    EXPECT_EQ(references[0].name, "");
    EXPECT_FALSE(references[0].controller);
}

struct MistypedCase {
    std::string text;
    std::string path;
};

TEST(OwnerReferences, MistypedAreRefusedNamingThePath) {
    std::vector<MistypedCase> cases = {{"[]", "m must be an object, not an array"},
                                       {R"("secret")", "m must be an object, not a string"}};
    for (const std::string value : {"true", "7", R"("secret")", "{}"}) {
        cases.push_back(
            {R"({"ownerReferences": )" + value + "}", "m.ownerReferences must be an array, not "});
    }
    for (const std::string value : {"true", "7", R"("secret")", "[]"}) {
        cases.push_back({R"({"ownerReferences": [null, {}, )" + value + "]}",
                         "m.ownerReferences[2] must be an object, not "});
    }
    for (const std::string key : {"apiVersion", "kind", "name", "uid"}) {
        for (const std::string value : {"true", "7", "[]", "{}"}) {
            cases.push_back(
                {R"({"ownerReferences": [{"controller": true, ")" + key + "\": " + value + "}]}",
                 "m.ownerReferences[0]." + key + " must be a string, not "});
        }
    }
    for (const std::string value : {"7", R"("secret")", "[]", "{}"}) {
        cases.push_back({R"({"ownerReferences": [{"controller": )" + value + "}]}",
                         "m.ownerReferences[0].controller must be a boolean, not "});
    }
    for (const auto& [text, message] : cases) {
        const auto document = parsed(text);
        const auto references = read_owner_references(document.root(), "m");
        ASSERT_FALSE(references) << text;
        EXPECT_EQ(references.error().code, Code::BadRequest);
        EXPECT_TRUE(references.error().message.starts_with(message)) << references.error().message;
        EXPECT_THAT(references.error().message, Not(HasSubstr("secret")));
    }
}

OwnerReference reference(std::string_view api_version, std::string_view kind, std::string_view name,
                         bool controller = false) {
    return {api_version, kind, name, "", controller};
}

TEST(FindOwner, PrefersTheController) {
    const std::vector<OwnerReference> references = {reference("batch/v1", "Job", "first"),
                                                    reference("batch/v1", "Job", "second", true),
                                                    reference("batch/v1", "Job", "third", true)};
    EXPECT_EQ(find_owner(references, "batch", "Job"), &references[1]);
}

TEST(FindOwner, TakesTheFirstWithoutAController) {
    const std::vector<OwnerReference> references = {reference("apps/v1", "ReplicaSet", "r", true),
                                                    reference("batch/v1beta1", "Job", "first"),
                                                    reference("batch/v1", "Job", "second")};
    EXPECT_EQ(find_owner(references, "batch", "Job"), &references[1]);
}

TEST(FindOwner, AsksForGroupAndKind) {
    const std::vector<OwnerReference> references = {
        reference("batch.example.com/v1", "Job", "a", true),
        reference("v1", "Job", "b", true),
        reference("", "Job", "c", true),
        reference("batch/v1/x", "Job", "d", true),
        reference("batch/v1", "job", "e", true),
        reference("batch/v1", "CronJob", "f", true),
        reference("", "", "g", true)};
    EXPECT_EQ(find_owner(references, "batch", "Job"), nullptr);
    EXPECT_EQ(find_owner(references, "", "Job"), &references[1]);
    EXPECT_EQ(find_owner(references, "", ""), nullptr);
    EXPECT_EQ(find_owner({}, "batch", "Job"), nullptr);
}

}  // namespace
}  // namespace smw::kube
