// Which CheckpointBackup decides: section 3.2 of the contract.
#include "checkpoint_restore/decide.hpp"

#include "world.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using testing::backup_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Json;
using testing::known;
using testing::owner_is;
using testing::pod_of;
using testing::World;

const testing::Images kPodImages{{"app", "nginx:1.19"}};
const testing::Images kCheckpoint{{"app", "nginx:checkpoint"}};
const testing::Images kOtherContainer{{"other", "nginx:checkpoint"}};

Json job_backup(const std::string& name, const std::string& job = "train",
                const testing::Images& images = kCheckpoint) {
    return backup_of("Job", job, name, images);
}

Json cronjob_backup(const std::string& name, const std::string& cronjob,
                    const testing::Images& images = kCheckpoint) {
    return backup_of("CronJob", cronjob, name, images);
}

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

TEST(Decide, MatchesTheCronJobThatOwnsTheJob) {
    World world;
    world.add(cronjob_backup("b", "nightly"));
    // `kubectl create job manual --from=cronjob/nightly`: the original misses it.
    world.owner = known("nightly");
    const auto outcome = world.judge(pod_of("manual", kPodImages));
    EXPECT_EQ(outcome.backup, "b");
    EXPECT_TRUE(outcome.asked);
    EXPECT_EQ(outcome.candidates.front().match, "owner");
}

TEST(Decide, DoesNotMatchByNameAJobThatAnotherCronJobOwns) {
    World world;
    world.add(cronjob_backup("b", "nightly"));
    world.owner = known("weekly");
    EXPECT_EQ(world.judge(pod_of("nightly-29920782", kPodImages)).reason,
              Reason::NoCheckpointBackup);
}

TEST(Decide, MatchesByNameWhenTheJobIsKnownAndNoCronJobOwnsIt) {
    struct Case {
        const char* cronjob;
        const char* job;
        bool matches;
    };
    for (const auto& [cronjob, job, matches] : std::vector<Case>{
             {"nightly", "nightly-29920782", true},
             {"nightly", "nightly-by-hand", true},
             {"nightly", "nightly-", false},
             {"nightly", "nightly", false},
             {"nightly", "nightly2-1", false},
             {"nightly", "Nightly-1", false},
             {"a-b", "a-b-c-1", true},
             {"a", "a--", true},
             {"-a", "-a-1", true},
         }) {
        World world;
        world.add(cronjob_backup("b", cronjob));
        const auto outcome = world.judge(pod_of(job, kPodImages));
        EXPECT_EQ(outcome.reason, matches ? Reason::Restored : Reason::NoCheckpointBackup) << job;
        EXPECT_TRUE(outcome.asked);
    }
}

TEST(Decide, OnlyTheLongestCronJobNameCounts) {
    World world;
    world.add(cronjob_backup("short", "a"));
    world.add(cronjob_backup("long", "a-b"));
    // The original takes any prefix: the backup of `a` captures Jobs of `a-b`.
    EXPECT_EQ(world.judge(pod_of("a-b-1234", kPodImages)).backup, "long");
    EXPECT_EQ(world.judge(pod_of("a-1234", kPodImages)).backup, "short");
    world.owner = owner_is(Owner::State::Refused);
    EXPECT_EQ(world.judge(pod_of("a-b-1234", kPodImages)).backup, "long");
}

TEST(Decide, OnlyTheLongestCronJobNameCountsEvenWithoutAUsableImage) {
    World world;
    world.add(cronjob_backup("short", "a"));
    world.add(cronjob_backup("long", "a-b", kOtherContainer));
    EXPECT_EQ(world.judge(pod_of("a-b-1234", kPodImages)).reason, Reason::NoImageForContainers);
}

TEST(Decide, TakesOnlyDigitsByNameWhenTheOwnerIsUnknown) {
    for (const auto state : {Owner::State::Unanswered, Owner::State::Refused}) {
        World world;
        world.add(cronjob_backup("b", "nightly"));
        world.owner = owner_is(state);
        EXPECT_EQ(world.judge(pod_of("nightly-29920782", kPodImages)).backup, "b");
        for (const auto* job : {"nightly-2x", "nightly-x-29920782", "nightly-29920782-"}) {
            const auto outcome = world.judge(pod_of(job, kPodImages));
            EXPECT_EQ(outcome.reason, Reason::OwnerUnknown) << job;
            EXPECT_EQ(outcome.undecided, state == Owner::State::Unanswered
                                             ? admission::Undecided::Timeout
                                             : admission::Undecided::Error);
            EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr(job)));
        }
    }
}

TEST(Decide, DoesNotMissAnOwnerThatCouldNotMatter) {
    World world;
    world.add(cronjob_backup("b", "nightly"));
    world.owner = owner_is(Owner::State::Refused);
    // No CronJob candidate's name is a prefix.
    const auto outcome = world.judge(pod_of("train", kPodImages));
    EXPECT_TRUE(outcome.asked);
    EXPECT_EQ(outcome.reason, Reason::NoCheckpointBackup);
    EXPECT_EQ(outcome.undecided, admission::Undecided::No);
}

TEST(Decide, IsUndecidedAboutAnUnknownOwnerAlsoBesideADirectMatchWithoutImage) {
    World world;
    world.add(job_backup("direct", "nightly-x", kOtherContainer));
    world.add(cronjob_backup("cron", "nightly"));
    world.owner = owner_is(Owner::State::Unanswered);
    EXPECT_EQ(world.judge(pod_of("nightly-x", kPodImages)).reason, Reason::OwnerUnknown);
}

TEST(Decide, AsksForTheOwnerOnlyWhenItMatters) {
    World world;
    world.add(job_backup("direct"));
    EXPECT_FALSE(world.judge(pod_of("train", kPodImages)).asked) << "no CronJob candidate";
    EXPECT_FALSE(world.judge(pod_of("other", kPodImages)).asked) << "no CronJob candidate";
    world.add(cronjob_backup("cron", "elsewhere"));
    EXPECT_FALSE(world.judge(pod_of("train", kPodImages)).asked) << "usable direct match";
    EXPECT_TRUE(world.judge(pod_of("other", kPodImages)).asked);
    EXPECT_TRUE(world.judge(pod_of("train", {{"unmatched", "nginx"}})).asked)
        << "the direct match has nothing for this pod";
}

TEST(Decide, AsksForTheOwnerOnlyIfACronJobCandidateIsInThatNamespace) {
    World world;
    auto elsewhere = cronjob_backup("cron", "nightly");
    elsewhere["metadata"]["namespace"] = "elsewhere";
    world.add(elsewhere);
    EXPECT_FALSE(world.judge(pod_of("nightly-1", kPodImages)).asked);
}

TEST(Decide, LeavesThePodOfAJobThatIsGone) {
    World world;
    world.add(cronjob_backup("b", "nightly"));
    const auto pod = pod_of("nightly-1", kPodImages);
    world.owner = owner_is(Owner::State::Gone);
    EXPECT_EQ(world.judge(pod).reason, Reason::JobGone);
    world.owner = known("nightly", "another-uid");
    EXPECT_EQ(world.judge(pod).reason, Reason::JobGone);
    EXPECT_THAT(world.judge(pod).warnings, IsEmpty());
    world.owner = known("nightly", "");
    EXPECT_EQ(world.judge(pod).reason, Reason::Restored) << "a uid is missing on one side";
    auto without_uid = pod;
    without_uid["metadata"]["ownerReferences"][0].erase("uid");
    world.owner = known("nightly", "another-uid");
    EXPECT_EQ(world.judge(without_uid).reason, Reason::Restored) << "and on the other";
}

struct Told {
    Owner owner;
    CronJobMatch mode;
    const char* job;
    Reason reason;
};

TEST(Decide, LeadsEachAnswerAboutTheOwnerWhereTheContractSays) {
    constexpr auto kBoth = CronJobMatch::OwnerOrName;
    constexpr auto kOwner = CronJobMatch::Owner;
    constexpr auto kName = CronJobMatch::Name;
    const auto gone = owner_is(Owner::State::Gone);
    const auto silent = owner_is(Owner::State::Unanswered);
    const auto refused = owner_is(Owner::State::Refused);
    for (const auto& [owner, mode, job, reason] : std::vector<Told>{
             {known("nightly"), kBoth, "manual", Reason::Restored},
             {known("nightly"), kOwner, "manual", Reason::Restored},
             {known("nightly"), kName, "manual", Reason::NoCheckpointBackup},
             {known("weekly"), kBoth, "nightly-1", Reason::NoCheckpointBackup},
             {known("weekly"), kName, "nightly-1", Reason::Restored},
             {known(), kBoth, "nightly-1", Reason::Restored},
             {known(), kBoth, "nightly-x", Reason::Restored},
             {known(), kOwner, "nightly-1", Reason::NoCheckpointBackup},
             {known("nightly", "another"), kBoth, "manual", Reason::JobGone},
             {known("nightly", "another"), kOwner, "nightly-1", Reason::JobGone},
             {known("nightly", "another"), kName, "nightly-1", Reason::Restored},
             {gone, kBoth, "nightly-1", Reason::JobGone},
             {gone, kOwner, "nightly-1", Reason::JobGone},
             {gone, kBoth, "manual", Reason::JobGone},
             {gone, kName, "nightly-1", Reason::Restored},
             {silent, kBoth, "nightly-1", Reason::Restored},
             {silent, kBoth, "nightly-x", Reason::OwnerUnknown},
             {silent, kBoth, "manual", Reason::NoCheckpointBackup},
             {silent, kOwner, "nightly-1", Reason::OwnerUnknown},
             {silent, kOwner, "manual", Reason::NoCheckpointBackup},
             {silent, kName, "nightly-x", Reason::Restored},
             {refused, kBoth, "nightly-1", Reason::Restored},
             {refused, kBoth, "nightly-x", Reason::OwnerUnknown},
             {refused, kBoth, "manual", Reason::NoCheckpointBackup},
             {refused, kOwner, "nightly-1", Reason::OwnerUnknown},
             {refused, kName, "nightly-x", Reason::Restored},
         }) {
        World world;
        world.settings.cronjob_match = mode;
        world.owner = owner;
        world.add(cronjob_backup("b", "nightly"));
        const auto outcome = world.judge(pod_of(job, kPodImages));
        EXPECT_EQ(outcome.reason, reason) << job << " owner " << static_cast<int>(owner.state)
                                          << " mode " << static_cast<int>(mode);
        EXPECT_EQ(outcome.patch.empty(), reason != Reason::Restored) << job;
        EXPECT_EQ(outcome.asked, mode != kName) << job;
    }
}

TEST(Decide, OfAnUnknownOwnerOnlyTheLongestCronJobNameIsTriedForDigits) {
    World world;
    world.owner = owner_is(Owner::State::Unanswered);
    world.add(cronjob_backup("short", "a"));
    world.add(cronjob_backup("long", "a-1", kOtherContainer));
    EXPECT_EQ(world.judge(pod_of("a-1-2", kPodImages)).reason, Reason::NoImageForContainers);
    EXPECT_EQ(world.judge(pod_of("a-1-x", kPodImages)).reason, Reason::OwnerUnknown);
    EXPECT_EQ(world.judge(pod_of("a-2", kPodImages)).backup, "short");
}

TEST(Decide, LeavesThePodOfAJobThatIsGoneAlsoBesideADirectMatchWithoutImage) {
    World world;
    world.owner = owner_is(Owner::State::Gone);
    world.add(job_backup("direct", "nightly-1", kOtherContainer));
    world.add(cronjob_backup("cron", "nightly"));
    EXPECT_EQ(world.judge(pod_of("nightly-1", kPodImages)).reason, Reason::JobGone);
}

TEST(Decide, MatchesByOwnerOnlyWhenToldSo) {
    World world;
    world.settings.cronjob_match = CronJobMatch::Owner;
    world.add(cronjob_backup("b", "nightly"));
    const auto pod = pod_of("nightly-1", kPodImages);
    EXPECT_EQ(world.judge(pod).reason, Reason::NoCheckpointBackup);
    world.owner = known("nightly");
    EXPECT_EQ(world.judge(pod).backup, "b");
    world.owner = owner_is(Owner::State::Unanswered);
    EXPECT_EQ(world.judge(pod).reason, Reason::OwnerUnknown) << "digits are a match by name";
}

TEST(Decide, MatchesByNameOnlyWhenToldSo) {
    World world;
    world.settings.cronjob_match = CronJobMatch::Name;
    world.owner = known("nightly");
    world.add(cronjob_backup("b", "nightly"));
    const auto by_hand = world.judge(pod_of("nightly-by-hand", kPodImages));
    EXPECT_EQ(by_hand.backup, "b");
    EXPECT_FALSE(by_hand.asked);
    const auto manual = world.judge(pod_of("manual", kPodImages));
    EXPECT_EQ(manual.reason, Reason::NoCheckpointBackup);
    EXPECT_FALSE(manual.asked);
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

TEST(Decide, BoundsTheWorkForAnEndlessJobName) {
    World world;
    world.settings.cronjob_match = CronJobMatch::Name;
    world.add(cronjob_backup("b", "nightly"));
    const std::string dashes(2'000'000, '-');
    EXPECT_EQ(world.judge(pod_of(dashes, kPodImages)).reason, Reason::NoCheckpointBackup);
    EXPECT_EQ(world.judge(pod_of("nightly" + dashes, kPodImages)).reason, Reason::Restored);
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
