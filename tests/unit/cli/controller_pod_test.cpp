#include "cli/controller_pod.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <utility>
#include <vector>

namespace smw::cli {
namespace {

using nlohmann::json;

json recorded_object(const std::string& name) {
    std::ifstream file{std::string{SMW_TEST_DATA} + "/reviews-1.36/" + name};
    auto object = json::parse(file)["request"]["object"];
    object["metadata"].erase("managedFields");
    return object;
}

Expected<json> made(Expected<smw::json::Text> (*make)(smw::json::Value), const json& object) {
    const auto document = smw::json::Document::parse(object.dump());
    const auto text = make(document->root());
    if (!text) {
        return tl::unexpected(text.error());
    }
    return json::parse(text->json);
}

TEST(PodOfJob, IsWhatTheJobControllerCreates) {
    auto job = recorded_object("001-create-job.json");
    const auto created = recorded_object("002-create-pod.json");
    // The API server gives the Job its uid after admission.
    job["metadata"]["uid"] = created["metadata"]["ownerReferences"][0]["uid"];
    const auto pod = made(pod_of_job, job);
    ASSERT_TRUE(pod) << pod.error().message;
    EXPECT_EQ((*pod)["apiVersion"], "v1");
    EXPECT_EQ((*pod)["kind"], "Pod");
    EXPECT_EQ((*pod)["metadata"], created["metadata"]);
    EXPECT_EQ((*pod)["spec"], job["spec"]["template"]["spec"]);
}

TEST(PodOfJob, LeavesTheUidOutWhenThereIsNone) {
    const auto pod = made(pod_of_job, recorded_object("001-create-job.json"));
    ASSERT_TRUE(pod) << pod.error().message;
    EXPECT_EQ((*pod)["metadata"]["ownerReferences"],
              json::parse(R"([{"apiVersion": "batch/v1", "kind": "Job",
                  "name": "test-migration-job", "controller": true,
                  "blockOwnerDeletion": true}])"));
    EXPECT_FALSE((*pod)["metadata"]["labels"].contains("controller-uid"));
}

TEST(PodOfJob, KeepsWhatTheTemplateSays) {
    const auto job = json::parse(R"({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train"},
        "spec": {"template": {
            "metadata": {"labels": {"app": "x", "job-name": "mine"}, "annotations": {"a": "b"},
                         "finalizers": ["f", "batch.kubernetes.io/job-tracking"],
                         "name": "ignored", "ownerReferences": []},
            "spec": {"containers": []}}}})");
    const auto pod = made(pod_of_job, job);
    ASSERT_TRUE(pod) << pod.error().message;
    const auto& metadata = (*pod)["metadata"];
    EXPECT_EQ(metadata["generateName"], "train-");
    EXPECT_EQ(metadata["namespace"], "default");
    EXPECT_EQ(metadata["labels"], json::parse(R"({"app": "x", "job-name": "mine",
                                                  "batch.kubernetes.io/job-name": "train"})"));
    EXPECT_EQ(metadata["annotations"], json::parse(R"({"a": "b"})"));
    EXPECT_EQ(metadata["finalizers"], json::parse(R"(["f", "batch.kubernetes.io/job-tracking"])"));
    EXPECT_FALSE(metadata.contains("name"));
    EXPECT_EQ(metadata["ownerReferences"].size(), 1U);
}

TEST(PodOfJob, GivesAJobANameThatHasNone) {
    const auto job = json::parse(R"({"metadata": {"generateName": "train-"},
                                     "spec": {"template": {"spec": {}}}})");
    const auto pod = made(pod_of_job, job);
    ASSERT_TRUE(pod) << pod.error().message;
    EXPECT_EQ((*pod)["metadata"]["generateName"], "train-xxxxx-");
}

TEST(PodOfJob, SaysWhatIsMissingOrMistyped) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {R"({})", "metadata is missing"},
        {R"({"metadata": []})", "metadata must be an object, not an array"},
        {R"({"metadata": {}})", "metadata.name is missing"},
        {R"({"metadata": {"name": 1}})", "metadata.name must be a string, not a number"},
        {R"({"metadata": {"name": "a", "uid": 1}})", "metadata.uid must be a string, not a number"},
        {R"({"metadata": {"name": "a", "namespace": {}}})",
         "metadata.namespace must be a string, not an object"},
        {R"({"metadata": {"name": "a"}})", "spec is missing"},
        {R"({"metadata": {"name": "a"}, "spec": null})", "spec is missing"},
        {R"({"metadata": {"name": "a"}, "spec": {}})", "spec.template is missing"},
        {R"({"metadata": {"name": "a"}, "spec": {"template": "x"}})",
         "spec.template must be an object, not a string"},
        {R"({"metadata": {"name": "a"}, "spec": {"template": {}}})",
         "spec.template.spec is missing"},
        {R"({"metadata": {"name": "a"}, "spec": {"template": {"spec": {}, "metadata": 1}}})",
         "spec.template.metadata must be an object, not a number"},
    };
    for (const auto& [job, error] : cases) {
        const auto pod = made(pod_of_job, json::parse(job));
        ASSERT_FALSE(pod) << job;
        EXPECT_EQ(pod.error().message, error) << job;
    }
}

TEST(JobOfCronJob, IsWhatTheCronJobControllerCreates) {
    auto cronjob = recorded_object("003-create-cronjob.json");
    const auto created = recorded_object("018-create-job.json");
    cronjob["metadata"]["uid"] = created["metadata"]["ownerReferences"][0]["uid"];
    const auto job = made(job_of_cronjob, cronjob);
    ASSERT_TRUE(job) << job.error().message;
    EXPECT_EQ((*job)["apiVersion"], "batch/v1");
    EXPECT_EQ((*job)["kind"], "Job");
    EXPECT_EQ((*job)["metadata"]["name"], "my-cronjob-29000000");
    EXPECT_EQ((*job)["metadata"]["namespace"], "default");
    EXPECT_EQ((*job)["metadata"]["ownerReferences"], created["metadata"]["ownerReferences"]);
    EXPECT_EQ((*job)["spec"], cronjob["spec"]["jobTemplate"]["spec"]);
}

TEST(JobOfCronJob, KeepsTheTemplatesLabelsAndAnnotations) {
    const auto cronjob = json::parse(R"({"metadata": {"name": "a", "namespace": "n"}, "spec": {
        "jobTemplate": {"metadata": {"labels": {"l": "1"}, "annotations": {"b": "2"}, "name": "x"},
                        "spec": {"template": {"spec": {}}}}}})");
    const auto job = made(job_of_cronjob, cronjob);
    ASSERT_TRUE(job) << job.error().message;
    EXPECT_EQ((*job)["metadata"]["name"], "a-29000000");
    EXPECT_EQ((*job)["metadata"]["labels"], json::parse(R"({"l": "1"})"));
    EXPECT_EQ((*job)["metadata"]["annotations"], json::parse(R"({"b": "2"})"));
}

TEST(JobOfCronJob, SaysWhatIsMissing) {
    const auto job =
        made(job_of_cronjob, json::parse(R"({"metadata": {"name": "a"}, "spec": {}})"));
    ASSERT_FALSE(job);
    EXPECT_EQ(job.error().message, "spec.jobTemplate is missing");
}

}  // namespace
}  // namespace smw::cli
