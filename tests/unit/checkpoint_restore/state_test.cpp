// What is kept of a CheckpointBackup, and how it is found.
#include "checkpoint_restore/backup_index.hpp"
#include "checkpoint_restore/checkpoint_backup.hpp"
#include "world.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using testing::backup_of;
using testing::built;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Json;
using ::testing::UnorderedElementsAre;

BackupReading read(const Json& object) {
    const auto document = json::Document::parse(object.dump());
    kube::ObjectKey key;
    key.namespace_ = object["metadata"]["namespace"];
    key.name = object["metadata"]["name"];
    return read_checkpoint_backup(key, document->root());
}

std::vector<std::string> references(const CheckpointBackup& backup) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < backup.image_count(); ++at) {
        found.emplace_back(backup.image(at).reference);
    }
    return found;
}

TEST(CheckpointBackup, KeepsWhatDecisionsRead) {
    auto object = backup_of("CronJob", "nightly", "b", {{"app", "nginx:cp"}});
    object["status"]["lastCheckpointTime"] = "2026-11-21T10:00:00Z";
    object["metadata"]["creationTimestamp"] = "1970-01-01T00:00:01Z";
    const auto backup = read(object).backup;
    ASSERT_NE(backup, nullptr);
    EXPECT_EQ(backup->namespace_(), "default");
    EXPECT_EQ(backup->name(), "b");
    EXPECT_EQ(backup->resource_kind(), ResourceKind::CronJob);
    EXPECT_EQ(backup->resource_name(), "nightly");
    EXPECT_EQ(backup->creation_time(), WallTime{std::chrono::seconds{1}});
    EXPECT_EQ(backup->last_checkpoint_time(), kube::parse_time("2026-11-21T10:00:00Z"));
    EXPECT_EQ(backup->image(0),
              (BackupImage{"app", "nginx:cp", BackupImage::From::SpecContainers, false, true}));
}

TEST(CheckpointBackup, TakesAbsentAndUnreadableTimesForTheOldest) {
    auto object = backup_of("Job", "train", "b", {});
    EXPECT_EQ(read(object).backup->last_checkpoint_time(), WallTime::min());
    object["status"]["lastCheckpointTime"] = "today";
    object["metadata"]["creationTimestamp"] = 5;
    EXPECT_EQ(read(object).backup->last_checkpoint_time(), WallTime::min());
    EXPECT_EQ(read(object).backup->creation_time(), WallTime::min());
}

TEST(CheckpointBackup, SaysWhatItPassedOver) {
    auto object = backup_of("Job", "train", "b", {{"app", "nginx:cp"}});
    object["spec"]["containers"].push_back({{"name", "side"}});
    object["status"]["builtImages"] = {{{"imageName", "nginx"}}};
    EXPECT_THAT(read(object).skipped,
                ElementsAre("spec.containers[1] has no name or no image",
                            "status.builtImages[0] has no containerName or no imageName"));
    object["spec"]["containers"] = 5;
    object["status"]["builtImages"] = "x";
    EXPECT_THAT(read(object).skipped,
                ElementsAre("spec.containers is not a list", "status.builtImages is not a list"));
}

TEST(CheckpointBackup, DropsImagesThatNoSettingWouldGetTo) {
    auto object = backup_of("Job", "train", "b", {});
    auto pushed = built("app", "nginx:pushed", "2026-11-21T10:00:02Z");
    pushed["pushed"] = true;
    object["status"]["builtImages"] = {built("app", "nginx:old", "2026-11-21T10:00:01Z"), pushed,
                                       built("app", "nginx:new", "2026-11-21T10:00:03Z"),
                                       built("app", "Bad Image", "2026-11-21T10:00:04Z")};
    EXPECT_THAT(references(*read(object).backup),
                ElementsAre("Bad Image", "nginx:new", "nginx:pushed"));
}

TEST(CheckpointBackup, FindsTheImagesOfOneContainer) {
    auto object =
        backup_of("Job", "train", "b", {{"b", "img:b"}, {"a", "Bad Image"}, {"c", "img:c"}});
    object["status"]["builtImages"] = {built("a", "img:a")};
    const auto backup = read(object).backup;
    EXPECT_EQ(backup->images_for("a"), std::pair(std::size_t{0}, std::size_t{2}));
    EXPECT_EQ(backup->images_for("b"), std::pair(std::size_t{2}, std::size_t{3}));
    const auto [first, last] = backup->images_for("ab");
    EXPECT_EQ(first, last);
    EXPECT_EQ(backup->image(1).reference, "img:a");
}

std::shared_ptr<const CheckpointBackup> backup(const std::string& kind, const std::string& resource,
                                               const std::string& name,
                                               const std::string& namespace_ = "default") {
    auto object = backup_of(kind, resource, name, {});
    object["metadata"]["namespace"] = namespace_;
    return read(object).backup;
}

std::vector<std::string> names(const BackupIndex& index, const ResourceKey& key) {
    std::vector<std::string> found;
    for (const auto& each : index.referring_to(key)) {
        found.emplace_back(each->name());
    }
    return found;
}

TEST(BackupIndex, FindsByNamespaceKindAndName) {
    BackupIndex index;
    index.insert(backup("Job", "train", "a"));
    index.insert(backup("Job", "train", "b"));
    index.insert(backup("Job", "train", "elsewhere", "other"));
    index.insert(backup("CronJob", "train", "cron"));
    EXPECT_THAT(names(index, {"default", ResourceKind::Job, "train"}),
                UnorderedElementsAre("a", "b"));
    EXPECT_THAT(names(index, {"default", ResourceKind::CronJob, "train"}), ElementsAre("cron"));
    EXPECT_THAT(names(index, {"other", ResourceKind::Job, "train"}), ElementsAre("elsewhere"));
    EXPECT_THAT(names(index, {"default", ResourceKind::Job, "trai"}), IsEmpty());
}

TEST(BackupIndex, ErasesOneOfSeveral) {
    BackupIndex index;
    const auto first = backup("CronJob", "nightly", "a");
    const auto second = backup("CronJob", "nightly", "b");
    index.insert(first);
    index.insert(second);
    index.erase(first);
    index.erase(first);  // not there any more
    EXPECT_TRUE(index.has_cronjob_candidate("default"));
    EXPECT_THAT(names(index, {"default", ResourceKind::CronJob, "nightly"}), ElementsAre("b"));
    index.erase(second);
    EXPECT_FALSE(index.has_cronjob_candidate("default"));
    EXPECT_EQ(index.cronjob_prefix("default", "nightly-1"), "");
}

TEST(BackupIndex, KnowsWhichNamespacesHaveCronJobCandidates) {
    BackupIndex index;
    index.insert(backup("Job", "train", "a"));
    index.insert(backup("CronJob", "nightly", "b", "other"));
    EXPECT_FALSE(index.has_cronjob_candidate("default"));
    EXPECT_TRUE(index.has_cronjob_candidate("other"));
}

TEST(BackupIndex, FindsCronJobPrefixesLongestFirst) {
    BackupIndex index;
    index.insert(backup("CronJob", "a", "1"));
    index.insert(backup("CronJob", "a-b", "2"));
    index.insert(backup("Job", "a-b-c", "3"));
    struct Case {
        const char* job;
        std::size_t limit;
        const char* prefix;
    };
    for (const auto& [job, limit, prefix] : std::vector<Case>{
             {"a-b-c-1", std::string::npos, "a-b"},
             {"a-b-c-1", 3, "a"},
             {"a-b-c-1", 1, ""},
             {"a-b-c-1", 0, ""},
             {"a-b-", std::string::npos, "a"},
             {"a-b", std::string::npos, "a"},
             {"a-", std::string::npos, ""},
             {"a", std::string::npos, ""},
             {"-", std::string::npos, ""},
             {"--", std::string::npos, ""},
             {"", std::string::npos, ""},
             {"b-1", std::string::npos, ""},
         }) {
        EXPECT_EQ(index.cronjob_prefix("default", job, limit), prefix) << job << " " << limit;
    }
    EXPECT_EQ(index.cronjob_prefix("other", "a-1"), "");
}

}  // namespace
}  // namespace smw::checkpoint_restore
