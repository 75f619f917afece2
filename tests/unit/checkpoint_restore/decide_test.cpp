// Which CheckpointBackup decides: section 3.2 of the contract, without the Job's owner.
#include "checkpoint_restore/decide.hpp"

#include "decide_backups.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace smw::checkpoint_restore {
namespace {

using testing::cronjob_backup;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::job_backup;
using testing::Json;
using testing::kOtherContainer;
using testing::kPodImages;
using testing::pod_of;
using testing::World;

TEST(Decide, RestoresThePodOfTheReferencedJob) {
    World world;
    world.add(job_backup("b"));
    const auto outcome = world.judge(pod_of("train", kPodImages));
    EXPECT_EQ(outcome.reason, Reason::Restored);
    EXPECT_EQ(outcome.backup, "b");
    EXPECT_EQ(outcome.images.at("app"), "nginx:checkpoint");
    EXPECT_FALSE(outcome.asked);
}

TEST(Decide, FindsNothingWithoutABackup) {
    World world;
    const auto outcome = world.judge(pod_of("train", kPodImages));
    EXPECT_EQ(outcome.reason, Reason::NoCheckpointBackup);
    EXPECT_THAT(outcome.patch, IsEmpty());
    EXPECT_THAT(outcome.warnings, IsEmpty());
    EXPECT_FALSE(outcome.asked);
}

/// A candidate that differs from a good one in one place does not decide.
TEST(Decide, PassesOverBackupsThatAreNoCandidates) {
    struct Case {
        const char* pointer;
        Json value;
        bool candidate;
    };
    const std::vector<Case> cases = {
        {"/metadata/deletionTimestamp", "2026-11-21T10:00:00Z", false},
        {"/metadata/deletionTimestamp", nullptr, true},
        {"/spec/resourceRef/namespace", "elsewhere", false},
        {"/spec/resourceRef/namespace", "default", true},
        {"/spec/resourceRef/namespace", "", true},
        {"/spec/resourceRef/namespace", nullptr, true},
        {"/metadata/namespace", "elsewhere", false},
        {"/spec/resourceRef/apiVersion", "batch/v1beta1", true},
        {"/spec/resourceRef/apiVersion", "apps/v1", false},
        {"/spec/resourceRef/apiVersion", "v1", false},
        {"/spec/resourceRef/apiVersion", nullptr, false},
        {"/spec/resourceRef/apiVersion", 1, false},
        {"/spec/resourceRef/kind", "Deployment", false},
        {"/spec/resourceRef/kind", "job", false},
        {"/spec/resourceRef/kind", nullptr, false},
        {"/spec/resourceRef/name", "Train", false},
        {"/spec/resourceRef/name", "", false},
        {"/spec/resourceRef/name", Json::array({"train"}), false},
        {"/spec/resourceRef", "train", false},
        {"/spec/resourceRef", nullptr, false},
        {"/spec", "x", false},
        {"/spec/schedule", 5, true},
        {"/status", "x", true},
    };
    for (const auto& variant : cases) {
        World world;
        auto backup = job_backup("b");
        backup[Json::json_pointer{variant.pointer}] = variant.value;
        world.add(backup);
        const auto outcome = world.judge(pod_of("train", kPodImages));
        EXPECT_EQ(outcome.reason, variant.candidate ? Reason::Restored : Reason::NoCheckpointBackup)
            << variant.pointer << " = " << variant.value;
    }
}

TEST(Decide, PrefersAUsableImageToASurerMatch) {
    World world;
    world.add(job_backup("direct", "nightly-1", kOtherContainer));
    world.add(cronjob_backup("cron", "nightly"));
    EXPECT_EQ(world.judge(pod_of("nightly-1", kPodImages)).backup, "cron");
}

TEST(Decide, PrefersADirectMatchToALaterCheckpoint) {
    World world;
    world.settings.cronjob_match = CronJobMatch::Name;
    world.add(job_backup("direct", "nightly-1"));
    auto later = cronjob_backup("cron", "nightly");
    later["status"]["lastCheckpointTime"] = "2026-11-21T10:00:00Z";
    world.add(later);
    const auto outcome = world.judge(pod_of("nightly-1", kPodImages));
    EXPECT_EQ(outcome.backup, "direct");
    ASSERT_EQ(outcome.candidates.size(), 2U);
    EXPECT_EQ(outcome.candidates[1].why, "another one matches more surely");
}

/// Of two backups that refer to the same Job.
struct Rivals {
    const char* pointer;
    const char* winner;
    const char* loser;
};

TEST(Decide, RanksByCheckpointTimeThenCreationThenName) {
    for (const auto& [pointer, winner, loser] : std::vector<Rivals>{
             {"/status/lastCheckpointTime", "2026-11-21T10:00:01Z", "2026-11-21T10:00:00Z"},
             {"/status/lastCheckpointTime", "2026-11-21T10:00:00Z", nullptr},
             {"/status/lastCheckpointTime", "1999-01-01T00:00:00Z", "yesterday"},
             // Instants, not texts.
             {"/status/lastCheckpointTime", "2026-11-21T10:00:00-05:00", "2026-11-21T12:00:00Z"},
             {"/metadata/creationTimestamp", "2026-11-21T10:00:01Z", "2026-11-21T10:00:00Z"},
             {"/metadata/creationTimestamp", "2026-11-21T10:00:01Z", nullptr},
         }) {
        World world;
        auto first = job_backup("z-wins", "train", {{"app", "nginx:wins"}});
        auto second = job_backup("a-loses", "train", {{"app", "nginx:loses"}});
        first[Json::json_pointer{pointer}] = winner;
        if (loser != nullptr) {
            second[Json::json_pointer{pointer}] = loser;
        }
        world.add(first);
        world.add(second);
        const auto outcome = world.judge(pod_of("train", kPodImages));
        EXPECT_EQ(outcome.backup, "z-wins") << pointer << " " << winner;
        EXPECT_EQ(outcome.images.at("app"), "nginx:wins");
    }
}

TEST(Decide, TakesTheLaterCheckpointTimeBeforeTheLaterCreation) {
    World world;
    auto checkpointed = job_backup("checkpointed");
    checkpointed["status"]["lastCheckpointTime"] = "2026-11-21T10:00:00Z";
    checkpointed["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z";
    auto created = job_backup("created");
    created["status"]["lastCheckpointTime"] = "2026-11-21T09:00:00Z";
    created["metadata"]["creationTimestamp"] = "2026-11-21T11:00:00Z";
    world.add(checkpointed);
    world.add(created);
    EXPECT_EQ(world.judge(pod_of("train", kPodImages)).backup, "checkpointed");
}

TEST(Decide, TakesTheSmallerNameByBytes) {
    World world;
    world.add(job_backup("b"));
    world.add(job_backup("a.b"));
    world.add(job_backup("a-b"));
    EXPECT_EQ(world.judge(pod_of("train", kPodImages)).backup, "a-b");
}

/// The original takes whatever its list returns first.
TEST(Decide, GivesTheSameAnswerWhateverTheOrderOfArrival) {
    std::vector<Json> backups;
    for (const auto* name : {"a", "b", "c", "d"}) {
        backups.push_back(job_backup(name, "train", {{"app", std::string{"nginx:"} + name}}));
    }
    backups[2]["status"]["lastCheckpointTime"] = "2026-11-21T10:00:00Z";
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
        World world;
        for (const auto index : order) {
            world.add(backups[index]);
        }
        ASSERT_EQ(world.judge(pod_of("train", kPodImages)).backup, "c");
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Decide, NeverMixesTheImagesOfTwoBackups) {
    World world;
    auto later = job_backup("later", "train", {{"app", "nginx:later"}});
    later["status"]["lastCheckpointTime"] = "2026-11-21T10:00:00Z";
    world.add(later);
    world.add(job_backup("earlier", "train", {{"app", "nginx:earlier"}, {"side", "fluent:cp"}}));
    auto outcome = world.judge(pod_of("train", {{"app", "nginx:1"}, {"side", "fluent:1"}}));
    EXPECT_EQ(outcome.images.at("app"), "nginx:later");
    EXPECT_EQ(outcome.images.at("side"), "fluent:1");
}

TEST(Decide, SaysWhenNoBackupHasAnImageForThePod) {
    World world;
    world.add(job_backup("b", "train", kOtherContainer));
    const auto outcome = world.judge(pod_of("train", kPodImages));
    EXPECT_EQ(outcome.reason, Reason::NoImageForContainers);
    EXPECT_THAT(outcome.patch, IsEmpty());
    EXPECT_THAT(outcome.warnings, IsEmpty()) << "a name that the pod lacks is no error";
    EXPECT_THAT(outcome.candidates.front().unknown_containers, ElementsAre("other"));
}

TEST(Decide, ForgetsABackupThatIsDeletedOrRefersElsewhere) {
    World world;
    world.add(job_backup("b"));
    world.add(job_backup("b", "other"));
    EXPECT_EQ(world.judge(pod_of("train", kPodImages)).reason, Reason::NoCheckpointBackup);
    EXPECT_EQ(world.judge(pod_of("other", kPodImages)).backup, "b");
    auto deleted = job_backup("b", "other");
    deleted["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:00Z";
    world.add(deleted);
    EXPECT_EQ(world.judge(pod_of("other", kPodImages)).reason, Reason::NoCheckpointBackup);
    EXPECT_EQ(world.size(), 0U);
}

}  // namespace
}  // namespace smw::checkpoint_restore
