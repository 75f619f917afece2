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

/// An API server, as its answers.
class OfflineCluster : public OfflineTest {
protected:
    OfflineCluster() {
        offline.ask([this](client::ApiRequest request) {
            asked.push_back(request);
            return request.verb == "list" ? page_after(request) : answer_about_job();
        });
    }

    /// One backup a page.
    client::Answered<json::Document> page_after(const client::ApiRequest& request) {
        if (refused.status.code != 0) {
            return tl::unexpected(refused);
        }
        std::size_t at = 0;
        for (const auto& [key, value] : request.query) {
            at = key == "continue" ? std::stoul(value) : at;
        }
        Json page{{"metadata", {{"resourceVersion", "7"}}}, {"items", Json::array()}};
        if (at < backups.size()) {
            page["items"].push_back(backups[at]);
        }
        if (at + 1 < backups.size()) {
            page["metadata"]["continue"] = std::to_string(at + 1);
        }
        return *json::Document::parse(page.dump());
    }

    static client::Failure failure(int code, std::string message) {
        client::Failure failure;
        failure.error.message = std::move(message);
        failure.status.code = code;
        return failure;
    }

    client::Answered<json::Document> answer_about_job() const {
        if (job.empty()) {
            return tl::unexpected(no_job);
        }
        return *json::Document::parse(job);
    }

    std::vector<Json> backups;
    client::Failure refused = failure(0, "");
    std::string job;  // empty: no_job
    client::Failure no_job = failure(404, "not found");
    std::vector<client::ApiRequest> asked;
};

TEST_F(OfflineCluster, ReadsAllPagesOfTheNamespaceOnce) {
    for (const auto* name : {"a", "b", "c"}) {
        backups.push_back(backup_of("Job", name, name, {{"app", "nginx:cp"}}));
    }
    EXPECT_EQ(judge(pod_of("c", {{"app", "nginx:1"}}))->backup, "c");
    EXPECT_EQ(judge(pod_of("a", {{"app", "nginx:1"}}))->backup, "a");
    ASSERT_EQ(asked.size(), 3U);
    EXPECT_EQ(asked[0].verb, "list");
    EXPECT_EQ(asked[0].resource.group, "migration.dcnlab.com");
    EXPECT_EQ(asked[0].resource.version, "v1");
    EXPECT_EQ(asked[0].resource.plural, "checkpointbackups");
    EXPECT_EQ(asked[0].namespace_, "default");
    EXPECT_EQ(asked[0].name, "");
    EXPECT_FALSE(asked[0].metadata_only);
    EXPECT_THAT(asked[0].query, ElementsAre(::testing::Pair("limit", "500")));
    EXPECT_THAT(asked[2].query,
                ElementsAre(::testing::Pair("limit", "500"), ::testing::Pair("continue", "2")));
}

TEST_F(OfflineCluster, AsksForTheJobWhereItMatters) {
    backups.push_back(backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}}));
    job = R"({"metadata": {"name": "manual", "namespace": "default", "uid": "job-uid",
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"}]}})";
    const auto judgement = judge(pod_of("manual", {{"app", "nginx:1"}}));
    EXPECT_EQ(judgement->backup, "b");
    EXPECT_EQ(judgement->owner, "Job manual belongs to CronJob nightly");
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_EQ(asked[1].resource.plural, "jobs");
    EXPECT_EQ(asked[1].name, "manual");
    EXPECT_TRUE(asked[1].metadata_only);
}

TEST_F(OfflineCluster, SaysInWordsWhatBecameOfTheJob) {
    backups.push_back(backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}}));
    const auto pod = pod_of("manual", {{"app", "nginx:1"}});
    EXPECT_EQ(judge(pod)->reason, "job-gone");
    EXPECT_EQ(judge(pod)->owner, "Job manual does not exist");
    job = R"({"metadata": {"name": "manual", "namespace": "default", "uid": "other"}})";
    EXPECT_EQ(judge(pod)->reason, "job-gone");
    EXPECT_THAT(judge(pod)->owner, HasSubstr("its uid differs"));
    job = R"({"metadata": {"name": "manual", "namespace": "default", "uid": "job-uid"}})";
    EXPECT_EQ(judge(pod)->reason, "no-checkpoint-backup");
    EXPECT_EQ(judge(pod)->owner, "Job manual belongs to no CronJob");
    EXPECT_EQ(judge(pod_of("../x", {{"app", "nginx:1"}}))->reason, "job-gone");
}

TEST_F(OfflineCluster, SaysWhatItMayNotRead) {
    backups.push_back(backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}}));
    no_job = failure(403, "getting jobs.batch: forbidden");
    const auto pod = pod_of("manual", {{"app", "nginx:1"}});
    EXPECT_EQ(judge(pod).error().message, "getting jobs.batch: forbidden");
    job = R"({"metadata": {"name": "other", "namespace": "default"}})";
    EXPECT_THAT(judge(pod).error().message, HasSubstr("about another object"));
}

TEST_F(OfflineCluster, DoesNotAskAgainForAListThatIsRefused) {
    refused = failure(403, "listing checkpointbackups: forbidden");
    const auto pod = pod_of("train", {{"app", "nginx:1"}});
    EXPECT_EQ(judge(pod).error().message, "listing checkpointbackups: forbidden");
    EXPECT_EQ(judge(pod).error().message, "listing checkpointbackups: forbidden");
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(OfflineCluster, FindsNoBackupsWhereTheResourceIsNotInstalled) {
    refused = failure(404, "listing checkpointbackups: not found");
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1"}}))->reason, "no-checkpoint-backup");
}

TEST_F(OfflineCluster, BelievesNoLoadBalancerThatAJobIsGone) {
    client::Failure elsewhere = failure(404, "the answer is HTTP 404 with text/html");
    elsewhere.status.causes.push_back({"UnexpectedServerResponse", "<html>", ""});
    backups.push_back(backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}}));
    no_job = elsewhere;
    const auto pod = pod_of("manual", {{"app", "nginx:1"}});
    EXPECT_EQ(judge(pod).error().message, elsewhere.error.message);
}

TEST_F(OfflineCluster, BelievesNoLoadBalancerThatNothingIsInstalled) {
    refused = failure(404, "the answer is HTTP 404 with text/html");
    refused.status.causes.push_back({"UnexpectedServerResponse", "<html>", ""});
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1"}})).error().message, refused.error.message);
}

TEST_F(OfflineCluster, AsksForSmallerPagesWhenOneIsTooLarge) {
    std::vector<std::string> limits;
    backups.push_back(backup_of("Job", "train", "b", {{"app", "nginx:cp"}}));
    offline.ask([&](const client::ApiRequest& request) -> client::Answered<json::Document> {
        limits.push_back(request.query.at(0).second);
        if (limits.size() < 3) {
            client::Failure large = failure(0, "its body is larger than 4194304 bytes");
            large.error.code = Code::TooLarge;
            return tl::unexpected(large);
        }
        return page_after(request);
    });
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1"}}))->reason, "restored");
    EXPECT_THAT(limits, ElementsAre("500", "125", "31"));
}

TEST_F(OfflineCluster, TakesItemsThatAreNullForNone) {
    offline.ask([](const client::ApiRequest&) -> client::Answered<json::Document> {
        return *json::Document::parse(R"({"metadata": {"resourceVersion": "7"}, "items": null})");
    });
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1"}}))->reason, "no-checkpoint-backup");
}

TEST_F(OfflineCluster, PrefersWhatWasAdded) {
    backups.push_back(backup_of("Job", "train", "b", {{"app", "nginx:theirs"}}));
    auto mine = backup_of("Job", "elsewhere", "b", {{"app", "nginx:mine"}});
    add(mine);
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1"}}))->reason, "no-checkpoint-backup");
    EXPECT_EQ(judge(pod_of("elsewhere", {{"app", "nginx:1"}}))->reason, "restored");
}

TEST_F(OfflineCluster, TakesNoBackupOfAnotherNamespace) {
    auto elsewhere = backup_of("Job", "train", "b", {{"app", "nginx:cp"}});
    elsewhere["metadata"]["namespace"] = "elsewhere";
    backups.push_back(elsewhere);
    backups.push_back(Json{{"metadata", 5}});
    backups.emplace_back("x");
    EXPECT_EQ(judge(pod_of("train", {{"app", "nginx:1"}}))->reason, "no-checkpoint-backup");
}

TEST_F(OfflineCluster, GivesUpAListWithoutEnd) {
    offline.ask([this](client::ApiRequest request) -> client::Answered<json::Document> {
        asked.push_back(std::move(request));
        return *json::Document::parse(
            R"({"metadata": {"resourceVersion": "7", "continue": "more"}, "items": []})");
    });
    EXPECT_THAT(judge(pod_of("train", {{"app", "nginx:1"}})).error().message,
                HasSubstr("more than 500000 objects"));
    EXPECT_EQ(asked.size(), 1000U);
}

TEST_F(OfflineCluster, RefusesAnAnswerThatIsNoList) {
    offline.ask([](const client::ApiRequest&) -> client::Answered<json::Document> {
        return *json::Document::parse(R"({"kind": "Status", "items": 5})");
    });
    EXPECT_THAT(judge(pod_of("train", {{"app", "nginx:1"}})).error().message,
                HasSubstr("no items"));
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
    ASSERT_TRUE(set("namespaces", "a, b-2 ,c,a").has_value());
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
    EXPECT_EQ(settings.api_lookup_budget, std::chrono::milliseconds{200});
    ASSERT_TRUE(set("api-lookup-budget", "1.5s").has_value());
    EXPECT_EQ(settings.api_lookup_budget, std::chrono::milliseconds{1500});
}

TEST_F(Options, RefuseWhatTheyDoNotKnow) {
    for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
             {"namespaces", "Default"},
             {"namespaces", "a,"},
             {"api-lookup-budget", ""},
             {"api-lookup-budget", "200"},
             {"api-lookup-budget", "0"},
             {"api-lookup-budget", "-1ms"},
             {"api-lookup-budget", "30.1s"},
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
