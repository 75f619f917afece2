#include "cli/verdict.hpp"

#include "smw/json/pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace smw::cli {
namespace {

using checkpoint_restore::Candidate;
using checkpoint_restore::Judgement;
using testing::HasSubstr;
using testing::Not;

Candidate candidate(std::string name, std::string resource, std::string match, std::string why) {
    Candidate out;
    out.name = std::move(name);
    out.resource = std::move(resource);
    out.match = std::move(match);
    out.why = std::move(why);
    return out;
}

Verdict restored() {
    Verdict verdict;
    verdict.place = {"in.yaml", 7};
    verdict.kind = "Job";
    verdict.namespace_ = "science";
    verdict.name = "train";
    auto& judgement = verdict.judgement;
    judgement.reason = "restored";
    judgement.namespace_ = "science";
    judgement.pod = "train-";
    judgement.job = "train";
    judgement.backup = "good";
    judgement.images.push_back({"app", "app:1", "app:ckpt"});
    judgement.images.push_back({"sidecar", "", "side:ckpt"});
    const auto spec = json::Pointer{} / "spec" / "containers";
    judgement.patch.push_back(
        {admission::PatchOp::Kind::Replace, spec / 0 / "image", {"\"app:ckpt\""}});
    judgement.patch.push_back(
        {admission::PatchOp::Kind::Add, spec / 1 / "image", {"\"side:ckpt\""}});
    auto good = candidate("good", "Job train", "direct", "");
    good.decided = true;
    good.images.push_back(
        {"app", "App:bad", "spec.containers", false, "is not a valid image reference"});
    good.images.push_back({"app", "app:ckpt", "status.builtImages", true, ""});
    good.unknown_containers = {"gone", "lost"};
    judgement.candidates.push_back(std::move(good));
    judgement.candidates.push_back(
        candidate("older", "Job train", "direct", "another one was created later"));
    judgement.response.warnings.emplace_back("mend the image of app");
    verdict.diff = "@@ -1 +1 @@\n-image: app:1\n+image: app:ckpt\n";
    return verdict;
}

TEST(ToText, ShowsTheWholeStory) {
    EXPECT_EQ(
        to_text(restored(), Paint{false}),
        "Job science/train (in.yaml:7)\n"
        "  restored: images come from CheckpointBackup good, which refers to Job train itself\n"
        "  warning: mend the image of app\n"
        "\n"
        "  Images\n"
        "    app      app:1 -> app:ckpt\n"
        "    sidecar  (none) -> side:ckpt\n"
        "\n"
        "  CheckpointBackups, the best one first\n"
        "    * good: Job train, direct match, decides\n"
        "        app  App:bad   (spec.containers; it is not a valid image reference)\n"
        "        app  app:ckpt  (status.builtImages)\n"
        "      the pod has no container named gone, lost\n"
        "    - older: Job train, direct match\n"
        "      lost: another one was created later\n"
        "\n"
        "  Patch\n"
        "    [{\"op\":\"replace\",\"path\":\"/spec/containers/0/image\",\"value\":\"app:ckpt\"},\n"
        "     {\"op\":\"add\",\"path\":\"/spec/containers/1/image\",\"value\":\"side:ckpt\"}]\n"
        "\n"
        "  Diff\n"
        "    --- the pod as it comes\n"
        "    +++ the pod as it would be admitted\n"
        "    @@ -1 +1 @@\n"
        "    -image: app:1\n"
        "    +image: app:ckpt\n");
}

TEST(ToText, IsTheSameTextInColours) {
    const auto coloured = to_text(restored(), Paint{true});
    EXPECT_THAT(coloured, HasSubstr("\x1b[32m+image: app:ckpt\x1b[0m\n"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[31m-image: app:1\x1b[0m\n"));
    std::string plain;
    for (std::size_t at = 0; at < coloured.size(); ++at) {
        if (coloured[at] == '\x1b') {
            at = coloured.find('m', at);
        } else {
            plain += coloured[at];
        }
    }
    EXPECT_EQ(plain, to_text(restored(), Paint{false}));
}

TEST(ToText, IsShortForWhatIsNoneOfOurBusiness) {
    Verdict verdict;
    verdict.place = {"-", 1};
    verdict.kind = "Pod";
    verdict.namespace_ = "default";
    verdict.name = "bare";
    verdict.judgement.reason = "not-from-job";
    EXPECT_EQ(to_text(verdict, Paint{false}),
              "Pod default/bare (-:1)\n  not-from-job: the pod belongs to no Job\n");
}

TEST(ToText, LetsNothingThroughToTheTerminal) {
    auto verdict = restored();
    const std::string evil = "\x1b]0;title\x07";
    verdict.place.file = verdict.name = verdict.namespace_ = evil;
    auto& judgement = verdict.judgement;
    judgement.backup = judgement.job = judgement.owner = evil;
    judgement.response.warnings = {evil};
    judgement.images[0] = {evil, evil, evil};
    for (auto& one : judgement.candidates) {
        one.name = one.resource = one.why = evil;
        one.unknown_containers = {evil};
        one.images = {{evil, evil, "spec.containers", false, evil}};
    }
    verdict.diff = "+" + evil + "\n";
    EXPECT_THAT(to_text(verdict, Paint{false}), Not(HasSubstr("\x1b")));
    EXPECT_THAT(to_text(verdict, Paint{false}), Not(HasSubstr("\x07")));
}

TEST(ToText, LeavesOutTheImagesOfABackupThatDoesNotMatch) {
    auto verdict = restored();
    auto& other = verdict.judgement.candidates[1];
    other.match = "";
    other.images = {{"app", "unused:1", "spec.containers", true, ""}};
    const auto text = to_text(verdict, Paint{false});
    EXPECT_THAT(text, HasSubstr("- older: Job train, does not match\n"));
    EXPECT_THAT(text, Not(HasSubstr("unused:1")));
}

TEST(InWords, SaysHowTheBackupMatched) {
    auto judgement = restored().judgement;
    judgement.candidates[0].resource = "CronJob nightly";
    judgement.candidates[0].match = "owner";
    EXPECT_EQ(in_words(judgement),
              "images come from CheckpointBackup good, which refers to CronJob "
              "nightly, the owner of Job train");
    judgement.candidates[0].match = "name";
    EXPECT_EQ(in_words(judgement),
              "images come from CheckpointBackup good, which refers to CronJob "
              "nightly: Job train is named after it");
    judgement.reason = "already-restored";
    EXPECT_THAT(in_words(judgement),
                testing::StartsWith("the images of CheckpointBackup good stand there already"));
}

TEST(InWords, HasWordsForEveryReason) {
    for (const auto* reason : {"no-image-for-containers", "no-checkpoint-backup", "not-applicable",
                               "not-from-job", "skipped-by-annotation", "self-test", "job-gone",
                               "owner-unknown", "cache-not-synced", "patch-refused"}) {
        Judgement judgement;
        judgement.reason = reason;
        judgement.job = "train";
        EXPECT_THAT(in_words(judgement), HasSubstr(" ")) << reason;
        EXPECT_THAT(in_words(judgement), Not(HasSubstr("{"))) << reason;
    }
}

TEST(ToJson, HasAllOfIt) {
    EXPECT_EQ(nlohmann::json::parse(to_json(restored()).json), nlohmann::json::parse(R"({
        "file": "in.yaml", "line": 7, "kind": "Job", "namespace": "science", "name": "train",
        "reason": "restored",
        "message": "images come from CheckpointBackup good, which refers to Job train itself",
        "pod": "train-", "job": "train", "owner": "", "backup": "good",
        "images": [{"container": "app", "original": "app:1", "image": "app:ckpt"},
                   {"container": "sidecar", "original": "", "image": "side:ckpt"}],
        "patch": [{"op": "replace", "path": "/spec/containers/0/image", "value": "app:ckpt"},
                  {"op": "add", "path": "/spec/containers/1/image", "value": "side:ckpt"}],
        "warnings": ["mend the image of app"],
        "candidates": [
            {"name": "good", "resource": "Job train", "match": "direct", "decided": true,
             "why": "", "unknownContainers": ["gone", "lost"],
             "images": [{"container": "app", "image": "App:bad", "from": "spec.containers",
                         "usable": false, "why": "is not a valid image reference"},
                        {"container": "app", "image": "app:ckpt", "from": "status.builtImages",
                         "usable": true, "why": ""}]},
            {"name": "older", "resource": "Job train", "match": "direct", "decided": false,
             "why": "another one was created later", "unknownContainers": [], "images": []}]})"));
}

TEST(ToJson, HasAnEmptyPatchWhenNothingChanges) {
    Verdict verdict;
    verdict.judgement.reason = "not-from-job";
    const auto json = nlohmann::json::parse(to_json(verdict).json);
    EXPECT_EQ(json["patch"], nlohmann::json::array());
    EXPECT_EQ(json["candidates"], nlohmann::json::array());
}

}  // namespace
}  // namespace smw::cli
