#include "cli/subject.hpp"

#include "smw/admission/review.hpp"
#include "smw/json/document.hpp"

#include <gtest/gtest.h>

namespace smw::cli {
namespace {

const Place kPlace{"in.yaml", 7};

struct Case {
    std::string document;
    std::string kind;
    std::string namespace_;
    std::string name;
    bool is_state;
};

TEST(MeaningOf, JudgesReviewsPodsJobsAndCronJobs) {
    const std::vector<Case> cases{
        {R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}})",
         "Pod", "n", "p", false},
        {R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "p-"}})", "Pod",
         "default", "p-", false},
        {R"({"apiVersion": "v1", "kind": "Pod"})", "Pod", "default", "", false},
        {R"({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
             "spec": {"template": {"spec": {}}}})",
         "Job", "default", "j", true},
        {R"({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "j-"},
             "spec": {"template": {"spec": {}}}})",
         "Job", "default", "j-", true},
        {R"({"apiVersion": "batch/v1", "kind": "CronJob",
             "metadata": {"name": "c", "namespace": "n"},
             "spec": {"jobTemplate": {"spec": {"template": {"spec": {}}}}}})",
         "CronJob", "n", "c", true},
        {R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request":
             {"uid": "u", "operation": "CREATE", "namespace": "n", "kind": {"kind": "Pod"},
              "object": {"metadata": {"generateName": "p-"}}}})",
         "Pod", "n", "p-", false},
    };
    for (const auto& [document, kind, namespace_, name, is_state] : cases) {
        const auto meaning = meaning_of({document}, kPlace);
        ASSERT_TRUE(meaning) << document << meaning.error().message;
        ASSERT_TRUE(meaning->subject) << document;
        EXPECT_EQ(meaning->subject->place, kPlace);
        EXPECT_EQ(meaning->subject->kind, kind) << document;
        EXPECT_EQ(meaning->subject->namespace_, namespace_) << document;
        EXPECT_EQ(meaning->subject->name, name) << document;
        EXPECT_EQ(meaning->state.has_value(), is_state) << document;
        const auto review = json::Document::parse(meaning->subject->review.json);
        ASSERT_TRUE(review) << document;
        const auto request = admission::decode_review(review->root());
        ASSERT_TRUE(request) << document << request.error().message;
        EXPECT_EQ(request->operation, admission::Operation::Create);
        EXPECT_EQ(request->kind.kind, "Pod");
        EXPECT_EQ(request->namespace_, namespace_);
        EXPECT_TRUE(request->object);
    }
}

TEST(MeaningOf, NamesAJobToBeNamedByTheApiServerAsItsPodDoes) {
    const auto meaning = meaning_of({R"({"apiVersion":"batch/v1","kind":"Job",)"
                                     R"("metadata":{"generateName":"j-"},)"
                                     R"("spec":{"template":{"spec":{}}}})"},
                                    kPlace);
    ASSERT_TRUE(meaning);
    EXPECT_EQ(meaning->state->json, R"({"apiVersion":"batch/v1","kind":"Job",)"
                                    R"("metadata":{"generateName":"j-","name":"j-xxxxx"},)"
                                    R"("spec":{"template":{"spec":{}}}})");
    EXPECT_NE(meaning->subject->review.json.find(R"("name":"j-xxxxx")"), std::string::npos);
}

TEST(MeaningOf, TakesACheckpointBackupAsState) {
    const std::string document =
        R"({"apiVersion":"migration.dcnlab.com/v1","kind":"CheckpointBackup","metadata":{}})";
    const auto meaning = meaning_of({document}, kPlace);
    ASSERT_TRUE(meaning);
    EXPECT_FALSE(meaning->subject);
    ASSERT_TRUE(meaning->state);
    EXPECT_EQ(meaning->state->json, document);
}

TEST(MeaningOf, PassesOverOtherKinds) {
    for (const auto* document :
         {R"({"apiVersion": "v1", "kind": "Namespace"})",
          R"({"apiVersion": "x/v1", "kind": "Job"})", R"({"apiVersion": "x/v1", "kind": "Pod"})",
          R"({"apiVersion": "v1", "kind": "CheckpointBackup"})",
          R"({"apiVersion": "v1", "kind": "AdmissionReview"})"}) {
        const auto meaning = meaning_of({document}, kPlace);
        ASSERT_TRUE(meaning) << document;
        EXPECT_FALSE(meaning->subject) << document;
        EXPECT_FALSE(meaning->state) << document;
    }
}

TEST(MeaningOf, RefusesWhatIsNoKubernetesObject) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"1", "is no Kubernetes object, but a JSON number"},
        {"[]", "is no Kubernetes object, but a JSON array"},
        {"{}", "has no kind: not a Kubernetes object"},
        {R"({"kind": 1, "apiVersion": "v1"})", "has no kind: not a Kubernetes object"},
        {R"({"kind": "Pod"})", "has no apiVersion: not a Kubernetes object"},
        {R"({"kind": "Job", "apiVersion": "batch/v1"})", "metadata is missing"},
        {R"({"kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": "a"}})",
         "spec is missing"},
        {R"({"kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": "a"},
             "spec": {"jobTemplate": {"spec": {"template": {"spec": 1}}}}})",
         "the Job that it would make: spec.template.spec must be an object, not a number"},
    };
    for (const auto& [document, error] : cases) {
        const auto meaning = meaning_of({document}, kPlace);
        ASSERT_FALSE(meaning) << document;
        EXPECT_EQ(meaning.error().message, error);
    }
}

}  // namespace
}  // namespace smw::cli
