// What the CronJob that owns a Job has to do with the decision: section 3.2 of the contract.
#include "checkpoint_restore/decide.hpp"
#include "decide_backups.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using testing::cronjob_backup;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::job_backup;
using testing::known;
using testing::kOtherContainer;
using testing::kPodImages;
using testing::owner_is;
using testing::pod_of;
using testing::World;

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

TEST(Decide, BoundsTheWorkForAnEndlessJobName) {
    World world;
    world.settings.cronjob_match = CronJobMatch::Name;
    world.add(cronjob_backup("b", "nightly"));
    const std::string dashes(2'000'000, '-');
    EXPECT_EQ(world.judge(pod_of(dashes, kPodImages)).reason, Reason::NoCheckpointBackup);
    EXPECT_EQ(world.judge(pod_of("nightly" + dashes, kPodImages)).reason, Reason::Restored);
}

}  // namespace
}  // namespace smw::checkpoint_restore
