// Which images, and the patch: sections 3.3 to 3.5 of the contract.
#include "checkpoint_restore/restore.hpp"

#include "world.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using ::testing::AllOf;
using testing::backup_of;
using testing::built;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Images;
using ::testing::IsEmpty;
using testing::Json;
using testing::pod_of;
using testing::World;

Json backup(const Images& images) {
    return backup_of("Job", "train", "b", images);
}

/// The image of container `app`, which stands at nginx:1.19.
std::string restored_image(const Json& backup, const Settings& settings = {}) {
    World world;
    world.settings = settings;
    world.add(backup);
    auto outcome = world.judge(pod_of("train", {{"app", "nginx:1.19"}}));
    return outcome.images.at("app");
}

TEST(Restore, TakesSpecContainersBeforeBuiltImages) {
    auto both = backup({{"app", "nginx:spec"}});
    both["status"]["builtImages"] = {built("app", "nginx:built", "2026-11-21T10:00:00Z")};
    EXPECT_EQ(restored_image(both), "nginx:spec");
    auto only_built = backup({});
    only_built["status"]["builtImages"] = both["status"]["builtImages"];
    EXPECT_EQ(restored_image(only_built), "nginx:built");
}

TEST(Restore, TakesTheNewestBuiltImage) {
    struct Case {
        Json built_images;
        const char* image;
    };
    for (const auto& [images, image] : std::vector<Case>{
             {{built("app", "nginx:1", "2026-11-21T10:00:00Z"),
               built("app", "nginx:2", "2026-11-21T10:00:01Z")},
              "nginx:2"},
             {{built("app", "nginx:2", "2026-11-21T10:00:01Z"),
               built("app", "nginx:1", "2026-11-21T10:00:00Z")},
              "nginx:2"},
             {{built("app", "nginx:dated", "2001-01-01T00:00:00Z"), built("app", "nginx:undated")},
              "nginx:dated"},
             {{built("app", "nginx:dated", "2001-01-01T00:00:00Z"),
               built("app", "nginx:unreadable", "now")},
              "nginx:dated"},
             {{built("app", "nginx:early"), built("app", "nginx:late")}, "nginx:late"},
             {{built("app", "nginx:early", "2026-11-21T10:00:00Z"),
               built("app", "nginx:late", "2026-11-21T10:00:00Z")},
              "nginx:late"},
             {{built("app", "nginx:noon", "2026-11-21T12:00:00Z"),
               built("app", "nginx:later", "2026-11-21T10:00:00-05:00")},
              "nginx:later"},
         }) {
        auto object = backup({});
        object["status"]["builtImages"] = images;
        EXPECT_EQ(restored_image(object), image) << images;
    }
}

TEST(Restore, PassesOverImagesThatWereNotPushedOnlyWhenToldSo) {
    auto object = backup({});
    auto unpushed = built("app", "nginx:unpushed", "2026-11-21T10:00:02Z");
    auto said_false = built("app", "nginx:false", "2026-11-21T10:00:01Z");
    said_false["pushed"] = false;
    auto pushed = built("app", "nginx:pushed", "2026-11-21T10:00:00Z");
    pushed["pushed"] = true;
    object["status"]["builtImages"] = {unpushed, said_false, pushed};
    EXPECT_EQ(restored_image(object), "nginx:unpushed");
    Settings settings;
    settings.require_pushed_images = true;
    EXPECT_EQ(restored_image(object, settings), "nginx:pushed");
    pushed["pushed"] = "true";
    object["status"]["builtImages"] = {pushed};
    EXPECT_EQ(restored_image(object, settings), "nginx:1.19") << "mistyped is as absent";
    EXPECT_EQ(restored_image(backup({{"app", "nginx:spec"}}), settings), "nginx:spec")
        << "spec.containers says nothing of pushing";
}

TEST(Restore, WarnsOfImagesThatWereNotPushed) {
    World world;
    world.settings.require_pushed_images = true;
    auto object = backup({});
    object["status"]["builtImages"] = {built("app", "nginx:built")};
    world.add(object);
    const auto outcome = world.judge(pod_of("train", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(outcome.reason, Reason::NoImageForContainers);
    EXPECT_THAT(outcome.warnings,
                ElementsAre("CheckpointBackup b: image for container app was not pushed"));
}

TEST(Restore, PutsTheRegistryBeforeImagesThatNameNone) {
    struct Case {
        Json url;
        const char* image;
        const char* restored;
    };
    for (const auto& [url, image, restored] : std::vector<Case>{
             {"registry.example", "team/app:cp", "registry.example/team/app:cp"},
             {"https://registry.example/", "app:cp", "registry.example/app:cp"},
             {"http://registry.example:5000//", "app:cp", "registry.example:5000/app:cp"},
             {"registry.example/mirror", "app:cp", "registry.example/mirror/app:cp"},
             {"registry.example", "quay.io/app:cp", "quay.io/app:cp"},
             {"registry.example", "localhost/app:cp", "localhost/app:cp"},
             {"registry.example", "node:5000/app:cp", "node:5000/app:cp"},
             {"https://", "app:cp", "app:cp"},
             {"///", "app:cp", "app:cp"},
             {"", "app:cp", "app:cp"},
             {nullptr, "app:cp", "app:cp"},
             {5, "app:cp", "app:cp"},
         }) {
        auto object = backup({{"app", image}});
        object["spec"]["registry"]["url"] = url;
        EXPECT_EQ(restored_image(object), restored) << url << " " << image;
        auto as_built = backup({});
        as_built["spec"]["registry"]["url"] = url;
        as_built["status"]["builtImages"] = {built("app", image)};
        EXPECT_EQ(restored_image(as_built), restored) << url << " " << image;
    }
    auto mistyped = backup({{"app", "app:cp"}});
    mistyped["spec"]["registry"] = "registry.example";
    EXPECT_EQ(restored_image(mistyped), "app:cp");
}

/// A typo in a backup must not make pods that can never start.
TEST(Restore, PassesOverWhatIsNoImageReferenceAndWarns) {
    for (const auto* bad : {"nginx:bad tag", "Nginx:1", " nginx:1", "nginx:1\n", "nginx:",
                            "nginx@sha256:short", "-nginx", "https://registry.example/nginx"}) {
        World world;
        auto object = backup({{"app", bad}});
        object["status"]["builtImages"] = {built("app", "nginx:built")};
        world.add(object);
        auto outcome = world.judge(pod_of("train", {{"app", "nginx:1.19"}}));
        EXPECT_EQ(outcome.images.at("app"), "nginx:built") << bad;
        EXPECT_THAT(outcome.warnings,
                    ElementsAre("CheckpointBackup b: image for container app is not a valid image "
                                "reference"))
            << bad;
    }
}

TEST(Restore, JudgesAReferenceWithItsRegistry) {
    auto object = backup({{"app", "nginx:cp"}});
    object["spec"]["registry"]["url"] = "Registry Example";
    EXPECT_EQ(restored_image(object), "nginx:1.19");
}

TEST(Restore, WarnsOfTheFirstOfTheRankingWhenNothingIsUsable) {
    World world;
    world.add(backup({{"app", "Bad Image"}}));
    const auto outcome = world.judge(pod_of("train", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(outcome.reason, Reason::NoImageForContainers);
    EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("CheckpointBackup b: ")));
}

TEST(Restore, DoesNotWarnOfAnImageThatWouldNotHaveBeenUsed) {
    World world;
    auto object = backup({{"app", "nginx:spec"}, {"absent", "Bad Image"}});
    object["status"]["builtImages"] = {built("app", "Bad Image")};
    world.add(object);
    EXPECT_THAT(world.judge(pod_of("train", {{"app", "nginx:1.19"}})).warnings, IsEmpty());
}

TEST(Restore, DoesNotWarnOfBackupsThatLost) {
    World world;
    world.add(backup({{"app", "nginx:cp"}}));
    world.add(backup_of("Job", "train", "loser", {{"app", "Bad Image"}}));
    const auto outcome = world.judge(pod_of("train", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(outcome.backup, "b");
    EXPECT_THAT(outcome.warnings, IsEmpty());
}

TEST(Restore, BoundsTheNumberOfWarnings) {
    Images pod_images;
    Images bad_images;
    for (int index = 0; index < 100; ++index) {
        pod_images["c" + std::to_string(index)] = "nginx:1";
        bad_images["c" + std::to_string(index)] = "Bad Image";
    }
    World world;
    world.add(backup(bad_images));
    // The API server shows 4,096 characters in all.
    EXPECT_LE(world.judge(pod_of("train", pod_images)).warnings.size(), 34U);
}

TEST(Restore, SkipsEntriesThatCannotBeRead) {
    struct Case {
        const char* pointer;
        Json value;
        const char* image;
    };
    for (const auto& [pointer, value, image] : std::vector<Case>{
             {"/spec/containers/0", "x", "nginx:built"},
             {"/spec/containers/0", nullptr, "nginx:built"},
             {"/spec/containers/0/name", 5, "nginx:built"},
             {"/spec/containers/0/name", nullptr, "nginx:built"},
             {"/spec/containers/0/image", 5, "nginx:built"},
             {"/spec/containers/0/image", "", "nginx:built"},
             {"/spec/containers", "x", "nginx:built"},
             {"/spec/containers", Json::object(), "nginx:built"},
             {"/spec/containers", nullptr, "nginx:built"},
             {"/status/builtImages", "x", "nginx:spec"},
             {"/status/builtImages/0", 5, "nginx:spec"},
             {"/status", "x", "nginx:spec"},
         }) {
        auto object = backup({{"app", "nginx:spec"}});
        object["status"]["builtImages"] = {built("app", "nginx:built")};
        object[Json::json_pointer{pointer}] = value;
        EXPECT_EQ(restored_image(object), image) << pointer << " = " << value;
    }
}

TEST(Restore, ABadEntryDoesNotCostTheOthers) {
    auto object = backup({{"app", "nginx:cp"}});
    object["spec"]["containers"].insert(object["spec"]["containers"].begin(), Json{5});
    object["spec"]["containers"].push_back({{"name", "app"}});
    EXPECT_EQ(restored_image(object), "nginx:cp");
}

TEST(Restore, OfTwoCompleteEntriesWithOneNameTheFirstCounts) {
    auto object = backup({});
    object["spec"]["containers"] = {{{"name", "app"}},
                                    {{"name", "app"}, {"image", "nginx:first"}},
                                    {{"name", "app"}, {"image", "nginx:second"}}};
    EXPECT_EQ(restored_image(object), "nginx:first");
    // Also when the first is of no use: the second is never looked at.
    object["spec"]["containers"][1]["image"] = "Bad Image";
    EXPECT_EQ(restored_image(object), "nginx:1.19");
}

TEST(Restore, PatchesContainersThenInitContainersEachInOrder) {
    World world;
    world.add(backup({{"a", "nginx:a"}, {"c", "nginx:c"}, {"i", "nginx:i"}}));
    const auto outcome = world.judge(pod_of(
        "train", {{"a", "nginx:1"}, {"b", "nginx:1"}, {"c", "nginx:1"}}, {{"i", "busybox"}}));
    EXPECT_EQ(outcome.reason, Reason::Restored);
    EXPECT_EQ(outcome.patch.dump(),
              R"([{"op":"replace","path":"/spec/containers/0/image","value":"nginx:a"},)"
              R"({"op":"replace","path":"/spec/containers/2/image","value":"nginx:c"},)"
              R"({"op":"replace","path":"/spec/initContainers/0/image","value":"nginx:i"}])");
}

TEST(Restore, AddsAnImageWhereTheContainerHasNone) {
    for (const bool null : {false, true}) {
        World world;
        world.add(backup({{"app", "nginx:cp"}}));
        auto pod = pod_of("train", {{"app", "nginx:1"}});
        if (null) {
            pod["spec"]["containers"][0]["image"] = nullptr;
        } else {
            pod["spec"]["containers"][0].erase("image");
        }
        auto outcome = world.judge(pod);
        EXPECT_EQ(outcome.patch[0]["op"], "add");
        EXPECT_EQ(outcome.images.at("app"), "nginx:cp");
    }
}

TEST(Restore, LeavesAnImageThatAlreadyStandsThere) {
    World world;
    world.add(backup({{"a", "nginx:a"}, {"b", "nginx:b"}}));
    const auto half = world.judge(pod_of("train", {{"a", "nginx:a"}, {"b", "nginx:1"}}));
    EXPECT_EQ(half.reason, Reason::Restored);
    EXPECT_EQ(half.patch.size(), 1U);
    EXPECT_EQ(half.patch[0]["path"], "/spec/containers/1/image");
    const auto all = world.judge(pod_of("train", {{"a", "nginx:a"}, {"b", "nginx:b"}}));
    EXPECT_EQ(all.reason, Reason::AlreadyRestored);
    EXPECT_EQ(all.backup, "b");
    EXPECT_THAT(all.patch, IsEmpty());
}

TEST(Restore, ToleratesAPodWithoutContainers) {
    World world;
    world.add(backup({{"app", "nginx:cp"}}));
    auto pod = pod_of("train", {});
    EXPECT_EQ(world.judge(pod).reason, Reason::NoImageForContainers);
    pod["spec"]["containers"] = nullptr;
    EXPECT_EQ(world.judge(pod).reason, Reason::NoImageForContainers);
}

TEST(Restore, AnnotatesOnlyWhenToldSo) {
    constexpr const char* kKey = "migration.dcnlab.com/restored-from";
    struct Case {
        Json annotations;
        Json patched;
        std::size_t ops;
    };
    for (const auto& [annotations, patched, ops] : std::vector<Case>{
             {nullptr, {{kKey, "b"}}, 2},
             {Json::object(), {{kKey, "b"}}, 2},
             {{{"a/b~c", "x"}}, {{"a/b~c", "x"}, {kKey, "b"}}, 2},
             {{{kKey, "other"}}, {{kKey, "b"}}, 2},
             {{{kKey, ""}}, {{kKey, "b"}}, 2},
             {{{kKey, nullptr}}, {{kKey, "b"}}, 2},
             {{{kKey, "b"}}, {{kKey, "b"}}, 1},
         }) {
        World world;
        world.add(backup({{"app", "nginx:cp"}}));
        auto pod = pod_of("train", {{"app", "nginx:1"}});
        pod["metadata"]["annotations"] = annotations;
        EXPECT_EQ(world.judge(pod).patch.size(), 1U);
        world.settings.annotate_restored = true;
        const auto outcome = world.judge(pod);
        EXPECT_EQ(outcome.pod["metadata"]["annotations"], patched) << annotations;
        EXPECT_EQ(outcome.patch.size(), ops) << annotations;
    }
    World world;
    world.settings.annotate_restored = true;
    world.add(backup({{"app", "nginx:cp"}}));
    const auto absent = world.judge(pod_of("train", {{"app", "nginx:1"}}));
    EXPECT_EQ(absent.pod["metadata"]["annotations"][kKey], "b");
    const auto restored = world.judge(pod_of("train", {{"app", "nginx:cp"}}));
    EXPECT_THAT(restored.patch, IsEmpty()) << "no image op, no annotation";
}

/// Proving costs the square of the ops: a pod of 3 MiB must not hold up a shard for seconds.
TEST(Restore, RefusesAPatchOfMoreThanAThousandImages) {
    for (const std::size_t count : {1000U, 1001U}) {
        Images pod_images;
        Images checkpoints;
        for (std::size_t index = 0; index < count; ++index) {
            pod_images["c" + std::to_string(index)] = "nginx:1";
            checkpoints["c" + std::to_string(index)] = "nginx:cp";
        }
        World world;
        world.add(backup(checkpoints));
        EXPECT_EQ(world.judge(pod_of("train", pod_images)).reason,
                  count == 1000 ? Reason::Restored : Reason::PatchRefused);
    }
}

/// What section 3.5 forbids to send: a pod that is not what it was said to be.
TEST(Restore, RefusesAPatchThatDoesNotApply) {
    const auto document = json::Document::parse(R"({"spec": {"containers": []}})");
    const auto object = json::Document::parse(backup({{"app", "nginx:cp"}}).dump());
    kube::ObjectKey key;
    key.namespace_ = "default";
    key.name = "b";
    Pod pod;
    pod.object = document->root();
    pod.containers.push_back({"containers", 0, "app", "nginx:1"});
    const auto decision = restore(pod, read_checkpoint_backup(key, object->root()).backup, {});
    EXPECT_EQ(decision.reason, Reason::PatchRefused);
    EXPECT_THAT(decision.patch, IsEmpty());
    EXPECT_THAT(decision.changes, IsEmpty());
    EXPECT_THAT(decision.warnings, ElementsAre(HasSubstr("does not apply")));
}

}  // namespace
}  // namespace smw::checkpoint_restore
