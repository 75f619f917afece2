// The body of a review, from an API server as far as anybody knows.

#include "smw/admission/review.hpp"

#include "checkpoint_restore/resources.hpp"
#include "judge.hpp"
#include "smw/json/yaml.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

/// Backups for the Jobs and CronJobs in tests/data/reviews-*.
constexpr std::string_view kBackups = R"(
kind: CheckpointBackup
metadata: {name: direct, namespace: default}
spec:
  resourceRef: {apiVersion: batch/v1, kind: Job, name: test-migration-job}
  containers:
    - {name: app-container, image: "nginx:1.20-checkpoint"}
    - {name: init, image: "busybox:1.36-checkpoint"}
status:
  builtImages:
    - {containerName: sidecar, imageName: "fluent/fluent-bit:2.0-checkpoint", pushed: true}
---
kind: CheckpointBackup
metadata: {name: cron, namespace: default}
spec:
  resourceRef: {apiVersion: batch/v1, kind: CronJob, name: my-cronjob}
  registry: {url: "https://registry.example/"}
  containers:
    - {name: app-container, image: "nginx:cron-checkpoint"}
---
kind: CheckpointBackup
metadata: {name: training, namespace: default}
spec:
  resourceRef: {apiVersion: batch/v1, kind: Job, name: big-training-job}
status:
  builtImages:
    - {containerName: trainer, imageName: "deepspeed/deepspeed:new", pushed: true}
)";

class State {
public:
    State() {
        const auto manifests = json::parse_yaml(kBackups);
        for (const auto& manifest : *manifests) {
            const auto document = json::Document::parse(manifest.json.json);
            check(backups_.apply(document->root()).has_value(), "a backup of ours is refused");
        }
    }

    [[nodiscard]] const std::vector<Surroundings>& surroundings() const { return surroundings_; }

private:
    std::unique_ptr<log::Output> output_ = log::make_null_output();
    checkpoint_restore::BackupStore backups_{
        checkpoint_restore::project_backups(log::Logger{"fuzz", {}, *output_})};
    std::vector<Surroundings> surroundings_ = all_surroundings(backups_);
};

}  // namespace

void review(std::string_view bytes) {
    static const State state;
    const auto document = json::Document::parse(std::string{bytes});
    if (!document) {
        return;
    }
    const auto request = admission::decode_review(document->root());
    if (!request) {
        check(request.error().code == Code::BadRequest, "a review is our fault");
        check(is_one_line(request.error().message), "an error that is more than a line");
        return;
    }
    for (const auto& surroundings : state.surroundings()) {
        judge(*request, surroundings);
    }
}

}  // namespace smw::fuzz
