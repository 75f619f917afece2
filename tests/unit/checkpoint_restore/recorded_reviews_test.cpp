// Reviews as real API servers (1.20 and 1.36) sent them, judged by the manifests in tests/data.
#include "smw/checkpoint_restore/offline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace smw::checkpoint_restore {
namespace {

using Json = nlohmann::json;

std::string read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

struct Expectation {
    std::string reason;
    std::map<std::string, std::string> images;  ///< JSON pointer into the pod → image
};

/// Whatever is not listed is no pod's creation.
const std::map<std::string, Expectation> kExpected = {
    {"reviews-1.20/pod-create-train.json", {"no-checkpoint-backup", {}}},
    {"reviews-1.20/pod-create-big-training-job.json",
     {"restored", {{"/spec/containers/0/image", "deepspeed/deepspeed:new"}}}},
    {"reviews-1.20/pod-create-web-bc7cc9f65.json", {"not-from-job", {}}},
    {"reviews-1.36/002-create-pod.json",
     {"restored",
      {{"/spec/containers/0/image", "nginx:1.20-checkpoint"},
       {"/spec/containers/1/image", "fluent/fluent-bit:2.0-checkpoint"},
       {"/spec/initContainers/0/image", "busybox:1.36-checkpoint"}}}},
    {"reviews-1.36/004-create-pod.json", {"not-from-job", {}}},
    {"reviews-1.36/006-create-pod.json", {"not-from-job", {}}},
    {"reviews-1.36/009-create-pod.json",
     {"restored", {{"/spec/containers/0/image", "registry.example/nginx:cron-checkpoint"}}}},
    {"reviews-1.36/011-create-pod.json", {"not-from-job", {}}},
    {"reviews-1.36/013-create-pod.json", {"not-from-job", {}}},
    {"reviews-1.36/019-create-pod.json",
     {"restored", {{"/spec/containers/0/image", "registry.example/nginx:cron-checkpoint"}}}},
    {"reviews-1.36/023-create-pod.json", {"not-from-job", {}}},
};

class RecordedReviews : public ::testing::Test {
protected:
    void SetUp() override {
        const auto problems = offline.load(kData / "manifests");
        ASSERT_TRUE(problems.has_value());
        ASSERT_THAT(*problems, ::testing::IsEmpty());
    }

    Judgement judge(const Json& review) {
        const auto document = json::Document::parse(review.dump());
        const auto request = admission::decode_review(document->root());
        auto judgement = offline.judge(*request);
        EXPECT_TRUE(judgement.has_value());
        return std::move(*judgement);
    }

    const std::filesystem::path kData = SMW_TEST_DATA;
    Offline offline;
};

TEST_F(RecordedReviews, AreJudgedAsExpected) {
    std::size_t pods = 0;
    for (const auto* folder : {"reviews-1.20", "reviews-1.36"}) {
        for (const auto& file : std::filesystem::directory_iterator{kData / folder}) {
            const auto name = std::string{folder} + "/" + file.path().filename().string();
            const auto found = kExpected.find(name);
            const auto expected =
                found == kExpected.end() ? Expectation{"not-applicable", {}} : found->second;
            pods += found == kExpected.end() ? 0 : 1;

            auto review = Json::parse(read(file.path()));
            const auto judgement = judge(review);
            EXPECT_EQ(judgement.reason, expected.reason) << name;
            EXPECT_EQ(judgement.response.patch.has_value(), !expected.images.empty()) << name;
            EXPECT_EQ(judgement.images.size(), expected.images.size()) << name;
            if (!judgement.response.patch) {
                continue;
            }
            auto wanted = review["request"]["object"];
            for (const auto& [pointer, image] : expected.images) {
                wanted[Json::json_pointer{pointer}] = image;
            }
            auto& object = review["request"]["object"];
            object = object.patch(Json::parse(judgement.response.patch->json));
            EXPECT_EQ(object, wanted) << name;
            const auto again = judge(review);
            EXPECT_EQ(again.reason, "already-restored") << name;
            EXPECT_FALSE(again.response.patch.has_value()) << name;
        }
    }
    EXPECT_EQ(pods, kExpected.size());
}

}  // namespace
}  // namespace smw::checkpoint_restore
