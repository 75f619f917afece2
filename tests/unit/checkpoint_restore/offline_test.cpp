// The same decision without a server, and the system as app/ sees it.
#include "smw/checkpoint_restore/offline.hpp"

#include "smw/checkpoint_restore/system.hpp"
#include "support/folder.hpp"
#include "world.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

namespace smw::checkpoint_restore {
namespace {

using test::Folder;
using testing::backup_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Json;
using testing::pod_of;

class OfflineTest : public ::testing::Test {
protected:
    Expected<Judgement> judge(const Json& pod) {
        const auto document = json::Document::parse(pod.dump());
        return offline.judge(testing::create_request(*document));
    }
    void add(const Json& object) {
        const auto document = json::Document::parse(object.dump());
        ASSERT_TRUE(offline.add(document->root()).has_value());
    }

    Offline offline;
};

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

class Options : public ::testing::Test {
protected:
    Expected<void> set(const std::string& name, const std::string& text) {
        for (const auto& option : options_of(settings)) {
            if (option.name == name) {
                return option.set(text);
            }
        }
        return fail(Code::NotFound, "no such option");
    }
    Settings settings;
};

TEST_F(Options, SetWhatTheySay) {
    ASSERT_TRUE(set("namespaces", "a, b-2 ,c").has_value());
    EXPECT_THAT(settings.namespaces, ElementsAre("a", "b-2", "c"));
    ASSERT_TRUE(set("namespaces", "").has_value());
    EXPECT_THAT(settings.namespaces, IsEmpty());
    ASSERT_TRUE(set("cronjob-match", "owner").has_value());
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::Owner);
    ASSERT_TRUE(set("cronjob-match", "name").has_value());
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::Name);
    ASSERT_TRUE(set("cronjob-match", "owner-or-name").has_value());
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::OwnerOrName);
    ASSERT_TRUE(set("require-pushed-images", "true").has_value());
    EXPECT_TRUE(settings.require_pushed_images);
    ASSERT_TRUE(set("require-pushed-images", "false").has_value());
    EXPECT_FALSE(settings.require_pushed_images);
    ASSERT_TRUE(set("annotate-restored", "true").has_value());
    EXPECT_TRUE(settings.annotate_restored);
}

TEST_F(Options, RefuseWhatTheyDoNotKnow) {
    for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
             {"namespaces", "Default"},
             {"namespaces", "a,"},
             {"namespaces", "a b"},
             {"namespaces", "-a"},
             {"namespaces", std::string(64, 'a')},
             {"cronjob-match", "Owner"},
             {"cronjob-match", ""},
             {"require-pushed-images", "yes"},
             {"annotate-restored", "TRUE"},
         }) {
        EXPECT_FALSE(set(name, text).has_value()) << name << "=" << text;
    }
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::OwnerOrName);
}

TEST(System, HasOneRouteAndTwoCaches) {
    metrics::Registry registry;
    const SystemClock clock;
    const auto output = log::make_null_output();
    const auto made = make_system();
    EXPECT_EQ(made->name(), "checkpoint-restore");
    for (const auto& option : made->options()) {
        EXPECT_EQ(option.group, "Checkpoint restore");
        EXPECT_FALSE(option.text.empty());
        EXPECT_TRUE(option.set(option.initial).has_value()) << option.name;
    }
    made->start({log::Logger{"smw", {}, *output}, registry, clock});
    const auto routes = made->routes();
    ASSERT_EQ(routes.size(), 1U);
    EXPECT_EQ(routes[0].path, "/mutate-v1-pod");
    EXPECT_EQ(routes[0].handler->name(), "checkpoint-restore");
    const auto caches = made->caches();
    ASSERT_EQ(caches.size(), 2U);
    EXPECT_EQ(caches[0].resource, (watch::Resource{"migration.dcnlab.com", "v1", "CheckpointBackup",
                                                   "checkpointbackups"}));
    EXPECT_EQ(caches[1].resource, (watch::Resource{"batch", "v1", "Job", "jobs"}));
    const auto backup =
        json::Document::parse(backup_of("Job", "train", "b", {{"app", "nginx:cp"}}).dump());
    ASSERT_TRUE(caches[0].sink->apply(backup->root()).has_value());
    EXPECT_EQ(caches[0].objects(), 1U);
    EXPECT_EQ(caches[1].objects(), 0U);
}

}  // namespace
}  // namespace smw::checkpoint_restore
