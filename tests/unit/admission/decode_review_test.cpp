#include "reviews.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace smw::admission {
namespace {

using test::decode;
using test::Json;
using test::review;
using ::testing::HasSubstr;
using ::testing::Not;

/// The message of the BadRequest, or "" when it decodes.
std::string complaint(const std::string& text) {
    const auto document = json::Document::parse(text);
    if (!document) {
        return "no JSON";
    }
    const auto request = decode_review(document->root());
    if (request) {
        return "";
    }
    EXPECT_EQ(request.error().code, Code::BadRequest) << text;
    return request.error().message;
}

Json with(const std::string& pointer, const Json& value) {
    auto changed = review();
    changed[Json::json_pointer{pointer}] = value;
    return changed;
}

Json without(const std::string& parent, const std::string& key) {
    auto changed = review();
    changed[Json::json_pointer{parent}].erase(key);
    return changed;
}

TEST(DecodeReview, ReadsEveryField) {
    const auto decoded = decode(review().dump());
    const auto& request = decoded.request;
    EXPECT_EQ(request.version, Version::V1);
    EXPECT_EQ(request.uid, "u-1");
    EXPECT_EQ(request.kind, (kube::GroupVersionKind{"", "v1", "Pod"}));
    EXPECT_EQ(request.operation, Operation::Create);
    EXPECT_EQ(request.namespace_, "batch-jobs");
    EXPECT_EQ(request.name, "train-0");
    EXPECT_EQ(request.sub_resource, "status");
    EXPECT_TRUE(request.dry_run);
    ASSERT_TRUE(request.object);
    EXPECT_TRUE(request.object->find("spec"));
}

TEST(DecodeReview, KnowsBothVersions) {
    const auto decoded = decode(with("/apiVersion", "admission.k8s.io/v1beta1").dump());
    EXPECT_EQ(decoded.request.version, Version::V1beta1);
}

TEST(DecodeReview, OnlyTheUidIsNeeded) {
    const auto decoded = decode(R"({"kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1", "request": {"uid": "u"}})");
    const auto& request = decoded.request;
    EXPECT_EQ(request.uid, "u");
    EXPECT_EQ(request.kind, kube::GroupVersionKind{});
    EXPECT_EQ(request.operation, Operation::Unknown);
    EXPECT_EQ(request.namespace_, "");
    EXPECT_EQ(request.name, "");
    EXPECT_EQ(request.sub_resource, "");
    EXPECT_FALSE(request.dry_run);
    EXPECT_FALSE(request.object);
}

TEST(DecodeReview, KnowsTheOperations) {
    const std::pair<std::string, Operation> cases[] = {
        {"CREATE", Operation::Create},   {"UPDATE", Operation::Update},
        {"DELETE", Operation::Delete},   {"CONNECT", Operation::Connect},
        {"create", Operation::Unknown},  {"PATCH", Operation::Unknown},
        {"unknown", Operation::Unknown}, {"", Operation::Unknown}};
    for (const auto& [text, operation] : cases) {
        EXPECT_EQ(decode(with("/request/operation", text).dump()).request.operation, operation)
            << text;
    }
}

TEST(DecodeReview, OperationsAreNamedAsOnTheWire) {
    EXPECT_EQ(to_string(Operation::Create), "CREATE");
    EXPECT_EQ(to_string(Operation::Update), "UPDATE");
    EXPECT_EQ(to_string(Operation::Delete), "DELETE");
    EXPECT_EQ(to_string(Operation::Connect), "CONNECT");
    EXPECT_EQ(to_string(Operation::Unknown), "unknown");
}

TEST(DecodeReview, AnObjectThatIsNullIsNone) {
    EXPECT_FALSE(decode(with("/request/object", nullptr).dump()).request.object);
}

TEST(DecodeReview, LeavesTheKindOfTheObjectToTheHandler) {
    for (const auto& value : {Json("text"), Json(7), Json(false), Json::array()}) {
        const auto decoded = decode(with("/request/object", value).dump());
        ASSERT_TRUE(decoded.request.object) << value;
        EXPECT_EQ(decoded.request.object->text(), value.dump());
    }
}

TEST(DecodeReview, OfDuplicateKeysTheFirstCounts) {
    const auto decoded = decode(R"({"kind": "AdmissionReview", "kind": "Other",
        "apiVersion": "admission.k8s.io/v1", "apiVersion": 7,
        "request": {"uid": "first", "uid": "second", "operation": "CREATE", "operation": []},
        "request": "no"})");
    EXPECT_EQ(decoded.request.uid, "first");
    EXPECT_EQ(decoded.request.operation, Operation::Create);
}

TEST(DecodeReview, FieldNamesAreCaseSensitive) {
    EXPECT_EQ(complaint(R"({"Kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
                            "request": {"uid": "u"}})"),
              "kind must be AdmissionReview");
}

TEST(DecodeReview, SaysWhatIsNoReview) {
    const std::pair<std::string, std::string> cases[] = {
        {"[]", "the body must be an object, not an array"},
        {"null", "the body must be an object, not null"},
        {"7", "the body must be an object, not a number"},
        {R"("secret")", "the body must be an object, not a string"},
        {"{}", "kind must be AdmissionReview"},
        {with("/kind", "secret").dump(), "kind must be AdmissionReview"},
        {with("/kind", "admissionreview").dump(), "kind must be AdmissionReview"},
        {without("", "kind").dump(), "kind must be AdmissionReview"},
        {with("/apiVersion", "admission.k8s.io/secret").dump(),
         "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1"},
        {with("/apiVersion", "v1").dump(),
         "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1"},
        {without("", "apiVersion").dump(),
         "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1"},
        {without("", "request").dump(), "request is missing"},
        {with("/request", nullptr).dump(), "request is missing"},
        {with("/request", "secret").dump(), "request must be an object, not a string"},
        {without("/request", "uid").dump(), "request.uid is missing or empty"},
        {with("/request/uid", "").dump(), "request.uid is missing or empty"},
        {with("/request/uid", nullptr).dump(), "request.uid is missing or empty"},
    };
    for (const auto& [text, message] : cases) {
        EXPECT_EQ(complaint(text), message) << text;
        EXPECT_THAT(complaint(text), Not(HasSubstr("secret")));
    }
}

struct ReadField {
    std::string pointer;
    std::string path;
    std::string wanted;
    bool required = false;
};

struct TypedValue {
    std::string described;
    Json value;
};

TEST(DecodeReview, JudgesEveryFieldInEveryType) {
    const ReadField fields[] = {
        {"/kind", "kind", "a string", true},
        {"/apiVersion", "apiVersion", "a string", true},
        {"/request", "request", "an object", true},
        {"/request/uid", "request.uid", "a string", true},
        {"/request/kind", "request.kind", "an object"},
        {"/request/kind/group", "request.kind.group", "a string"},
        {"/request/kind/version", "request.kind.version", "a string"},
        {"/request/kind/kind", "request.kind.kind", "a string"},
        {"/request/operation", "request.operation", "a string"},
        {"/request/namespace", "request.namespace", "a string"},
        {"/request/name", "request.name", "a string"},
        {"/request/subResource", "request.subResource", "a string"},
        {"/request/dryRun", "request.dryRun", "a boolean"},
    };
    const TypedValue values[] = {{"null", nullptr},
                                 {"a boolean", true},
                                 {"a number", 7},
                                 {"a number", 1.5},
                                 {"a string", "secret"},
                                 {"an array", Json::array({"secret"})},
                                 {"an object", Json{{"secret", 1}}}};
    for (const auto& field : fields) {
        for (const auto& [described, value] : values) {
            const auto found = complaint(with(field.pointer, value).dump());
            const auto context = field.path + " being " + described;
            if (described == "null") {
                EXPECT_EQ(found.empty(), !field.required) << context;
            } else if (described != field.wanted) {
                EXPECT_EQ(found,
                          fmt::format("{} must be {}, not {}", field.path, field.wanted, described))
                    << context;
            } else if (!field.required) {
                EXPECT_EQ(found, "") << context;
            }
            EXPECT_THAT(found, Not(HasSubstr("secret"))) << context;
        }
    }
}

TEST(DecodeReview, DoesNotReadWhatNobodyAskedFor) {
    for (const auto* key : {"oldObject", "options", "userInfo", "resource", "requestKind", "new"}) {
        EXPECT_EQ(complaint(with(std::string{"/request/"} + key, 7).dump()), "") << key;
    }
}

}  // namespace
}  // namespace smw::admission
