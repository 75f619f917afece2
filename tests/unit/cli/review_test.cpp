// The review command: what it reads, says and exits with.
#include "review_world.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

namespace smw::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::filesystem::path kData = std::filesystem::path{SMW_TEST_DATA} / "cli" / "review";

std::string read_file(const std::filesystem::path& file) {
    std::ifstream stream{file};
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

TEST_F(Review, ExitsWith0WhenNothingChanges) {
    write("manifests/none.yaml", "");
    EXPECT_EQ(run({write("pod.yaml", kBarePod), write("job.yaml", kJob), "--manifests",
                   (folder_.path() / "manifests").string()}),
              0);
    EXPECT_THAT(out_, HasSubstr("not-from-job"));
    EXPECT_THAT(out_, HasSubstr("no-checkpoint-backup"));
    EXPECT_THAT(err_, IsEmpty());
}

TEST_F(Review, SaysOnceThatThereWasNoSourceOfBackups) {
    for (const auto* shape : {"text", "json", "patch"}) {
        EXPECT_EQ(run({"-o", shape, "-"}, std::string{kJob} + "---" + std::string{kJob}), 0);
        EXPECT_EQ(err_,
                  "stateful-migration-webhook: there was no source of CheckpointBackups: give them "
                  "among the files, or --manifests DIR, or --kubeconfig FILE\n");
    }
    EXPECT_EQ(run({"-"}, std::string{kBarePod}), 0);
    EXPECT_THAT(err_, IsEmpty()) << "no CheckpointBackup could have changed it";
    auto other = std::string{kBackup};
    other.replace(other.find("train"), 5, "other");
    EXPECT_EQ(run({"-"}, std::string{kJob} + "---" + other), 0);
    EXPECT_THAT(out_, HasSubstr("no-checkpoint-backup"));
    EXPECT_THAT(err_, IsEmpty());
}

TEST_F(Review, ExitsWith10WhenOneChanges) {
    const auto manifests = write("manifests/backup.yaml", kBackup);
    EXPECT_EQ(run({write("pod.yaml", kBarePod), write("job.yaml", kJob), "--manifests",
                   (folder_.path() / "manifests").string()}),
              10);
    EXPECT_THAT(out_, HasSubstr("app  app:1 -> app:ckpt\n"));
    EXPECT_THAT(err_, IsEmpty());
}

TEST_F(Review, ExitsWith2ForABadDocumentAndJudgesTheOthers) {
    const auto file = write("all.yaml", std::string{kJob} + "---\nkind: Job\n---\na: [\n---" +
                                            std::string{kBackup} + "---" + std::string{kBarePod});
    EXPECT_EQ(run({file}), 2);
    EXPECT_THAT(out_, HasSubstr("restored"));
    EXPECT_THAT(out_, HasSubstr("not-from-job"));
    EXPECT_THAT(err_, StartsWith("stateful-migration-webhook: " + file +
                                 ":7: has no apiVersion: not a Kubernetes object\n"
                                 "stateful-migration-webhook: " +
                                 file + ":"));
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 2);
}

TEST_F(Review, RefusesWhatTheServerRefuses) {
    const std::string pod =
        R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"ownerReferences": "none"}})";
    const auto file = write("pod.json", "\n" + pod);
    EXPECT_EQ(run({file}), 2);
    EXPECT_THAT(err_, StartsWith("stateful-migration-webhook: " + file +
                                 ":2: request.object.metadata.ownerReferences must be "));
    EXPECT_THAT(out_, IsEmpty());
}

TEST_F(Review, ExitsWith2ForBadInput) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{}, "review needs a FILE, or - for standard input"},
        {{"/does/not/exist"}, "/does/not/exist: No such file or directory"},
        {{folder_.path().string()}, folder_.path().string() + ": is a folder"},
        {{write("backup.yaml", kBackup)},
         "there is no AdmissionReview, Pod, Job or CronJob to judge"},
        {{write("empty.yaml", "")}, "there is no AdmissionReview, Pod, Job or CronJob to judge"},
        {{write("review.json",
                R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"})")},
         ":1: "},
        {{"-o", "xml", "-"}, "--output: \"xml\" must be text, json, yaml or patch"},
        {{"--color=blue", "-"}, "--color: \"blue\" must be auto, always or never"},
        {{"--cronjob-match=x", "-"}, "--cronjob-match: \"x\" must be "},
    };
    for (const auto& [words, error] : cases) {
        EXPECT_EQ(run(words), 2) << error;
        EXPECT_THAT(err_, HasSubstr(error));
        EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    }
}

TEST_F(Review, NeedsAFolderOfManifestsThatCanBeRead) {
    EXPECT_EQ(run({"--manifests", "/does/not/exist", "-"}, std::string{kBarePod}), 2);
    EXPECT_THAT(err_, HasSubstr("--manifests: "));
    EXPECT_THAT(out_, HasSubstr("not-from-job"));
}

TEST_F(Review, ShowsTheProblemsOfTheFolder) {
    write("manifests/backup.yaml", kBackup);
    write("manifests/broken.yaml", "a: [\n");
    EXPECT_EQ(run({"--manifests", (folder_.path() / "manifests").string(), "-"}, std::string{kJob}),
              10);
    EXPECT_THAT(err_, HasSubstr((folder_.path() / "manifests" / "broken.yaml:").string()));
}

TEST_F(Review, TakesBackupsFromTheFilesWhateverTheOrder) {
    EXPECT_EQ(run({"-"}, std::string{kJob} + "---" + std::string{kBackup}), 10);
    EXPECT_EQ(run({"-"}, std::string{kBackup} + "---" + std::string{kJob}), 10);
    EXPECT_THAT(out_, StartsWith("Job default/train (-:9)\n  restored: images come from "
                                 "CheckpointBackup good, which refers to Job train itself\n"));
}

TEST_F(Review, KnowsTheOwnerOfAPodsJobFromTheFiles) {
    const std::string backup = R"(
apiVersion: migration.dcnlab.com/v1
kind: CheckpointBackup
metadata: {name: good}
spec:
  resourceRef: {apiVersion: batch/v1, kind: CronJob, name: cron}
  containers: [{name: app, image: "app:ckpt"}]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: by-hand
  ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: cron}]
spec: {template: {spec: {containers: []}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: p
  ownerReferences: [{apiVersion: batch/v1, kind: Job, name: by-hand}]
spec: {containers: [{name: app, image: "app:1"}]}
)";
    EXPECT_EQ(run({"-"}, backup), 10);
    EXPECT_THAT(out_, HasSubstr("CronJob cron, the owner of Job by-hand"));
}

TEST_F(Review, JudgesARecordedReview) {
    const auto review =
        (kData.parent_path().parent_path() / "reviews-1.36" / "009-create-pod.json").string();
    EXPECT_EQ(run({review}), 0);
    EXPECT_THAT(out_, StartsWith("Pod default/manual-1- (" + review + ":1)\n"));
}

TEST_F(Review, WritesOneJsonObjectALine) {
    EXPECT_EQ(run({"-o", "json", "-"},
                  std::string{kBackup} + "---" + std::string{kJob} + "---" + std::string{kBarePod}),
              10);
    std::istringstream lines{out_};
    std::vector<std::string> reasons;
    for (std::string line; std::getline(lines, line);) {
        reasons.push_back(nlohmann::json::parse(line)["reason"]);
    }
    EXPECT_THAT(reasons, testing::ElementsAre("restored", "not-from-job"));
}

TEST_F(Review, WritesThePatchOfEachOnALine) {
    EXPECT_EQ(run({"-o=patch", "-"},
                  std::string{kBackup} + "---" + std::string{kJob} + "---" + std::string{kBarePod}),
              10);
    EXPECT_EQ(
        out_,
        "[{\"op\":\"replace\",\"path\":\"/spec/containers/0/image\",\"value\":\"app:ckpt\"}]\n"
        "[]\n");
}

TEST_F(Review, ColoursOnlyWhereTheyAreShown) {
    for (const auto& [terminal, colour, coloured] : {std::tuple{true, "auto", true},
                                                     {false, "auto", false},
                                                     {false, "always", true},
                                                     {true, "never", false}}) {
        terminal_ = terminal;
        EXPECT_EQ(run({"-", std::string{"--color="} + colour}, std::string{kBarePod}), 0);
        EXPECT_EQ(out_.find('\x1b') != std::string::npos, coloured) << terminal << colour;
    }
    terminal_ = true;
    EXPECT_EQ(run({"-", "-o", "json"}, std::string{kBarePod}), 0);
    EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
}

TEST_F(Review, TakesTheServersRules) {
    const auto input = std::string{kBackup} + "---" + std::string{kJob};
    EXPECT_EQ(run({"-", "--namespaces=other"}, input), 0);
    EXPECT_THAT(out_, HasSubstr("not-applicable"));
    EXPECT_EQ(run({"-", "--annotate-restored"}, input), 10);
    EXPECT_THAT(out_, HasSubstr("migration.dcnlab.com/restored-from"));
}

struct Golden {
    std::string shape;
    std::string file;
};

// Written by `stateful-migration-webhook review --manifests manifests -o SHAPE - <input.yaml`, and
// read by a person.
TEST_F(Review, WritesTheGoldenOutputs) {
    for (const auto& [shape, file] : std::vector<Golden>{{"text", "output.txt"},
                                                         {"json", "output.json"},
                                                         {"yaml", "output.yaml"},
                                                         {"patch", "output.patch"}}) {
        EXPECT_EQ(run({"--manifests", (kData / "manifests").string(), "-o", shape, "-"},
                      read_file(kData / "input.yaml")),
                  10);
        EXPECT_EQ(out_, read_file(kData / file)) << shape;
        EXPECT_THAT(err_, IsEmpty());
    }
}

TEST_F(Review, HelpsWithinATerminal) {
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_THAT(out_, HasSubstr("  -o, --output text|json|yaml|patch\n"));
    EXPECT_THAT(out_, EndsWith("\n"));
    std::istringstream lines{out_};
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 80U) << line;
    }
}

}  // namespace
}  // namespace smw::cli
