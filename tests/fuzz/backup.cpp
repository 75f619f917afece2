// A CheckpointBackup, which anybody with rights in one namespace may write: whatever it says, the
// pods of its Job get a good answer.

#include "checkpoint_restore/resources.hpp"
#include "judge.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

constexpr std::string_view kReview = R"({
  "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
  "request": {"uid": "u", "operation": "CREATE", "namespace": "default",
    "kind": {"group": "", "version": "v1", "kind": "Pod"},
    "object": {
      "metadata": {"ownerReferences": [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "my-cronjob-29920782", "uid": "j"}]},
      "spec": {"containers": [{"name": "app-container", "image": "nginx"}, {"name": "sidecar"}],
        "initContainers": [{"name": "init", "image": "busybox:1"}]}}}})";

}  // namespace

void backup(std::string_view bytes) {
    static const auto review = json::Document::parse(std::string{kReview});
    static const auto request = admission::decode_review(review->root());
    static const auto output = log::make_null_output();

    const auto document = json::Document::parse(std::string{bytes});
    if (!document) {
        return;
    }
    checkpoint_restore::BackupStore backups{
        checkpoint_restore::project_backups(log::Logger{"fuzz", {}, *output})};
    const auto key = watch::read_object_key(document->root());
    check(backups.apply(document->root()).has_value() == key.has_value(),
          "an object with a name is refused, or one without taken");
    for (const auto& surroundings : all_surroundings(backups)) {
        judge(*request, surroundings);
    }
    if (key) {
        backups.remove(*key);
    }
    check(backups.size() == 0, "a backup that was removed is there");
}

}  // namespace smw::fuzz
