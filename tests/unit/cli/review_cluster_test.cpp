// The review command beside a cluster: when it is asked, and for what.
#include "review_world.hpp"

#include <gmock/gmock.h>

namespace smw::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kBackupOfTrain =
    R"({"metadata": {"name": "good", "namespace": "default"},
    "spec": {"resourceRef": {"apiVersion": "batch/v1", "kind": "Job", "name": "train"},
             "containers": [{"name": "app", "image": "app:ckpt"}]}})";
constexpr std::string_view kBackupOfCronJob =
    R"({"metadata": {"name": "good", "namespace": "default"},
    "spec": {"resourceRef": {"apiVersion": "batch/v1", "kind": "CronJob", "name": "train"},
             "containers": [{"name": "app", "image": "app:ckpt"}]}})";

TEST_F(Review, JudgesByAClusterWhenThereIsOne) {
    find_cluster_with(kBackupOfTrain);
    environment_ = {{"KUBECONFIG", "k.conf"}};
    EXPECT_EQ(run({"--kubeconfig", "x", "-"}, std::string{kJob}), 10);
    EXPECT_THAT(out_, HasSubstr("CheckpointBackup good"));
    EXPECT_THAT(asked_, testing::ElementsAre("list checkpointbackups default/"));
    ASSERT_EQ(sources_.size(), 1U);
    EXPECT_EQ(sources_[0].kubeconfig, "x");
    EXPECT_EQ(sources_[0].environment, environment_);
}

TEST_F(Review, AClusterIsASourceOfBackupsEvenWhenItHasNone) {
    find_cluster_with("");
    EXPECT_EQ(run({"-"}, std::string{kJob}), 0);
    EXPECT_THAT(out_, HasSubstr("no-checkpoint-backup"));
    EXPECT_THAT(err_, IsEmpty());
}

TEST_F(Review, AsksAClusterOnlyForWhatMatters) {
    find_cluster_with(kBackupOfTrain);
    EXPECT_EQ(run({"-"}, std::string{kBarePod}), 0);
    EXPECT_THAT(asked_, IsEmpty());
    EXPECT_EQ(run({"-"}, std::string{kJob} + "---" + std::string{kJob}), 10);
    EXPECT_THAT(asked_, testing::ElementsAre("list checkpointbackups default/"));
}

TEST_F(Review, AsksAClusterForTheJobOfAPodAndNotForAJobInTheFiles) {
    find_cluster_with(kBackupOfCronJob);
    EXPECT_EQ(run({"-"}, R"(
apiVersion: v1
kind: Pod
metadata: {name: p, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: train-1}]}
spec: {containers: [{name: app, image: "app:1"}]}
)"),
              0);
    EXPECT_THAT(out_, HasSubstr("job-gone"));
    EXPECT_THAT(asked_, testing::ElementsAre("list checkpointbackups default/",
                                             "get jobs default/train-1"));
    asked_.clear();
    for (const auto* name : {"name", "generateName"}) {
        EXPECT_EQ(run({"-"}, std::string{R"(
apiVersion: batch/v1
kind: Job
metadata: {)"} + name + R"(: train-}
spec: {template: {spec: {containers: [{name: app, image: "app:1"}]}}}
)"),
                  name == std::string_view{"name"} ? 0 : 10);
    }
    EXPECT_THAT(asked_, testing::Each("list checkpointbackups default/"));
}

TEST_F(Review, BackupsInTheFilesCountBeforeThoseOfTheCluster) {
    find_cluster_with(kBackupOfTrain);
    auto mine = std::string{kBackup};
    mine.replace(mine.find("app:ckpt"), 8, "app:mine");
    EXPECT_EQ(run({"-"}, std::string{kJob} + "---" + mine), 10);
    EXPECT_THAT(out_, HasSubstr("app:1 -> app:mine"));
}

TEST_F(Review, SaysWhatAClusterDoesNotLetItRead) {
    app::OpenCluster cluster;
    cluster.warnings = {"insecure"};
    cluster.ask = [](const client::ApiRequest&) -> client::Answered<json::Document> {
        client::Failure failure;
        failure.error.message = "listing checkpointbackups.migration.dcnlab.com: forbidden";
        failure.status.code = 403;
        return tl::unexpected(failure);
    };
    found_ = cluster;
    EXPECT_EQ(run({"-"}, std::string{kJob}), 2);
    EXPECT_EQ(err_,
              "stateful-migration-webhook: insecure\n"
              "stateful-migration-webhook: -:2: "
              "listing checkpointbackups.migration.dcnlab.com: forbidden\n");
    EXPECT_THAT(out_, IsEmpty());
}

TEST_F(Review, LooksForNoClusterBesideManifests) {
    find_cluster_with(kBackupOfTrain);
    const auto manifests = write("manifests/backup.yaml", kBackup);
    EXPECT_EQ(run({"--manifests", (folder_.path() / "manifests").string(), "-"}, std::string{kJob}),
              10);
    EXPECT_THAT(sources_, IsEmpty());
    EXPECT_EQ(run({"--manifests", "x", "--kubeconfig", "y", "-"}, std::string{kJob}), 2);
    EXPECT_THAT(err_, HasSubstr("--manifests and --kubeconfig"));
    EXPECT_THAT(sources_, IsEmpty());
}

TEST_F(Review, SaysWhatIsWrongWithTheClusterThatIsFound) {
    found_ = fail(Code::BadRequest, "k.conf: contexts is no list");
    EXPECT_EQ(run({"-"}, std::string{kJob}), 2);
    EXPECT_EQ(err_,
              "stateful-migration-webhook: finding the cluster: k.conf: contexts is no list\n");
}

}  // namespace
}  // namespace smw::cli
