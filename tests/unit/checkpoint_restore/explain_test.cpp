// The losers and why: what `review` and the debug log say.
#include "checkpoint_restore/explain.hpp"

#include "world.hpp"

namespace smw::checkpoint_restore {
namespace {

using testing::backup_of;
using testing::known;
using testing::owner_is;
using testing::pod_of;
using testing::World;

const testing::Images kPodImages{{"app", "nginx:1.19"}};
const testing::Images kCheckpoint{{"app", "nginx:checkpoint"}};
const testing::Images kOtherContainer{{"other", "nginx:checkpoint"}};

TEST(Explain, NamesTheLosersAndWhy) {
    World world;
    auto winner = backup_of("Job", "a-b-1", "winner", kCheckpoint);
    winner["status"]["lastCheckpointTime"] = "2026-11-21T10:00:00Z";
    world.add(winner);
    world.add(backup_of("Job", "a-b-1", "older", kCheckpoint));
    world.add(backup_of("Job", "a-b-1", "useless", kOtherContainer));
    world.add(backup_of("CronJob", "a", "prefix", kCheckpoint));
    const auto candidates = world.judge(pod_of("a-b-1", kPodImages)).candidates;
    ASSERT_EQ(candidates.size(), 4U);
    EXPECT_EQ(candidates[0].name, "winner");
    EXPECT_EQ(candidates[0].why, "");
    EXPECT_EQ(candidates[1].name, "older");
    EXPECT_EQ(candidates[1].why, "another one has a later status.lastCheckpointTime");
    EXPECT_EQ(candidates[2].why, "has no usable image for this pod's containers");
    EXPECT_EQ(candidates[3].resource, "CronJob a");
    EXPECT_EQ(candidates[3].match, "");
    EXPECT_EQ(candidates[3].why,
              "a direct match has a usable image, so the Job's owner was not asked for");
}

TEST(Explain, SaysWhyACronJobWhoseNameFitsDoesNotCount) {
    struct Case {
        Owner owner;
        CronJobMatch mode;
        const char* why;
    };
    for (const auto& [owner, mode, why] : std::vector<Case>{
             {known(), CronJobMatch::OwnerOrName, "the longer CronJob name a-b counts"},
             {known("a-b"), CronJobMatch::OwnerOrName, "the Job belongs to CronJob a-b"},
             {known(), CronJobMatch::Owner, "matching by name is turned off"},
             {owner_is(Owner::State::Gone), CronJobMatch::OwnerOrName, "the Job is gone"},
             {owner_is(Owner::State::Refused), CronJobMatch::OwnerOrName,
              "the Job's owner is unknown, and a CronJob appends digits only"},
         }) {
        World world;
        world.settings.cronjob_match = mode;
        world.owner = owner;
        world.add(backup_of("CronJob", "a-b", "long", kCheckpoint));
        world.add(backup_of("CronJob", "a", "short", kCheckpoint));
        const auto candidates = world.judge(pod_of("a-b-x", kPodImages)).candidates;
        ASSERT_FALSE(candidates.empty()) << why;
        EXPECT_EQ(candidates.back().name, "short");
        EXPECT_EQ(candidates.back().why, why);
    }
}

}  // namespace
}  // namespace smw::checkpoint_restore
