// The same decision without a server, by files and objects.
#include "smw/checkpoint_restore/offline.hpp"

#include "offline_world.hpp"
#include "support/folder.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using test::Folder;
using testing::backup_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::pod_of;

TEST_F(OfflineTest, JudgesByTheManifestsOfAFolder) {
    const Folder folder;
    folder.write("backup.json", backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}}).dump());
    folder.write("job.yaml",
                 "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: manual\n"
                 "  ownerReferences:\n  - {apiVersion: batch/v1, kind: CronJob, name: nightly}\n");
    folder.write("broken.yaml", "a: [");
    const auto problems = offline.load(folder.path());
    ASSERT_TRUE(problems.has_value());
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front().file, "broken.yaml");

    const auto judgement = judge(pod_of("manual", {{"app", "nginx:1.19"}}));
    ASSERT_TRUE(judgement.has_value());
    EXPECT_EQ(judgement->reason, "restored");
    EXPECT_EQ(judgement->namespace_, "default");
    EXPECT_EQ(judgement->pod, "manual-");
    EXPECT_EQ(judgement->job, "manual");
    EXPECT_EQ(judgement->backup, "b");
    EXPECT_EQ(judgement->owner, "Job manual belongs to CronJob nightly");
    EXPECT_THAT(judgement->images, ElementsAre(ChangedImage{"app", "nginx:1.19", "nginx:cp"}));
    EXPECT_EQ(judgement->patch.size(), 1U);
    EXPECT_TRUE(judgement->response.patch.has_value());
    ASSERT_EQ(judgement->candidates.size(), 1U);
    EXPECT_TRUE(judgement->candidates[0].decided);
    EXPECT_THAT(judgement->candidates[0].images,
                ElementsAre(OfferedImage{"app", "nginx:cp", "spec.containers", true, ""}));
}

TEST_F(OfflineTest, SaysThatAFolderCannotBeRead) {
    const auto loaded = offline.load("/nonexistent/folder");
    ASSERT_FALSE(loaded.has_value());
    EXPECT_THAT(loaded.error().message, HasSubstr("/nonexistent/folder"));
}

TEST_F(OfflineTest, AddsObjectsAsIfTheyWereInTheFolder) {
    auto backup = backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}});
    backup["metadata"].erase("namespace");
    add(backup);
    add({{"apiVersion", "v1"}, {"kind", "ConfigMap"}});
    add({{"apiVersion", "batch/v1"},
         {"kind", "Job"},
         {"metadata", {{"name", "manual"}, {"uid", "another"}}}});
    EXPECT_EQ(judge(pod_of("nightly-1", {{"app", "nginx:1.19"}}))->reason, "restored");
    const auto gone = judge(pod_of("manual", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(gone->reason, "job-gone");
    EXPECT_THAT(gone->owner, HasSubstr("uid"));
}

TEST_F(OfflineTest, RefusesAnObjectWithoutName) {
    const auto document =
        json::Document::parse(R"({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}})");
    EXPECT_FALSE(offline.add(document->root()).has_value());
}

TEST_F(OfflineTest, IgnoresBackupsOfOtherVersions) {
    auto backup = backup_of("Job", "train", "b", {{"app", "nginx:cp"}});
    backup["apiVersion"] = "migration.dcnlab.com/v2";
    add(backup);
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1.19"}}))->reason, "no-checkpoint-backup");
}

TEST_F(OfflineTest, ObeysTheOptionsOfTheServer) {
    for (const auto& option : offline.options()) {
        if (option.name == "annotate-restored") {
            ASSERT_TRUE(option.set("true").has_value());
        }
    }
    add(backup_of("Job", "train", "b", {{"app", "nginx:cp"}}));
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1.19"}}))->patch.size(), 2U);
}

TEST_F(OfflineTest, RefusesWhatTheServerRefuses) {
    auto pod = pod_of("train", {});
    pod["spec"] = 5;
    EXPECT_FALSE(judge(pod).has_value());
}

TEST_F(OfflineTest, JudgesWhatNeedsNoState) {
    auto pod = pod_of("train", {});
    pod["metadata"].erase("ownerReferences");
    const auto judgement = judge(pod);
    EXPECT_EQ(judgement->reason, "not-from-job");
    EXPECT_EQ(judgement->job, "");
    EXPECT_THAT(judgement->candidates, IsEmpty());
}

}  // namespace
}  // namespace smw::checkpoint_restore
