// The same decision without a server, by what an API server answers.
#include "offline_world.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using testing::backup_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Json;
using testing::pod_of;

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

}  // namespace
}  // namespace smw::checkpoint_restore
