#include "checkpoint_restore/restore.hpp"

#include "checkpoint_restore/annotations.hpp"
#include "smw/json/pointer.hpp"
#include "smw/json/writer.hpp"

#include <fmt/format.h>

namespace smw::checkpoint_restore {
namespace {

/// The API server shows 4,096 characters of warnings in all, 120 of each are advised.
constexpr std::size_t kMaxWarnings = 34;

/// Proving an op walks to its container, so n of them cost n²/2 steps: 500,000 are 2 ms. A pod of
/// 3 MiB could claim 100,000 containers, and making their ops alone costs 65 ms under the store's
/// lock; no node runs a thousand in one pod.
constexpr std::size_t kMaxChanges = 1000;

json::Text quoted(std::string_view text) {
    json::Text value;
    value.json.reserve(text.size() + 2);
    json::append_string(value.json, text);
    return value;
}

using Kind = admission::PatchOp::Kind;

/// Makes the ops; containers of one list come one after the other and share its path.
class ImageOps {
public:
    admission::PatchOp make(const Container& container, std::string_view image) {
        if (container.list != list_name_) {
            list_name_ = container.list;
            list_ = json::Pointer{} / "spec" / container.list;
        }
        admission::PatchOp op;
        op.kind = container.image ? Kind::Replace : Kind::Add;
        op.path = list_ / container.index / "image";
        op.value = quoted(image);
        return op;
    }

private:
    std::string_view list_name_;
    json::Pointer list_;
};

/// Whose images the pod runs, written to the pod.
void annotate_pod(const Pod& pod, std::string_view backup, admission::JsonPatch& patch) {
    if (pod.restored_from == backup) {
        return;
    }
    admission::PatchOp op;
    op.path = json::Pointer{} / "metadata" / "annotations";
    if (pod.has_annotations) {
        op.kind = pod.restored_from ? Kind::Replace : Kind::Add;
        op.path = op.path / kRestoredFromAnnotation;
        op.value = quoted(backup);
    } else {
        op.kind = Kind::Add;
        json::Writer{op.value.json}
            .begin_object()
            .member(kRestoredFromAnnotation, backup)
            .end_object();
    }
    patch.push_back(std::move(op));
}

void warn_passed_over(const CheckpointBackup& backup, const BackupImage& image,
                      const Settings& settings, Decision& decision) {
    if (decision.warnings.size() < kMaxWarnings) {
        decision.warnings.push_back(fmt::format("CheckpointBackup {}: image for container {} {}",
                                                backup.name(), image.container,
                                                describe(obstacle(image, settings))));
    }
}

Decision refused(std::string_view why) {
    Decision decision;
    decision.reason = Reason::PatchRefused;
    decision.warnings.push_back(
        fmt::format("checkpoint-restore: images left as they are, {}", why));
    return decision;
}

}  // namespace

std::string_view describe(Obstacle obstacle) {
    switch (obstacle) {
        case Obstacle::None:
            return "";
        case Obstacle::NotAReference:
            return "is not a valid image reference";
        case Obstacle::NotPushed:
            return "was not pushed";
    }
    return "";
}

Decision restore(const Pod& pod, const BackupIndex::Pointer& backup, const Settings& settings) {
    Decision decision;
    decision.backup = backup;
    bool usable = false;
    ImageOps ops;
    for (const auto& container : pod.containers) {
        const auto choice = choose_image(*backup, container.name, settings);
        if (choice.passed_over) {
            warn_passed_over(*backup, *choice.passed_over, settings, decision);
        }
        if (!choice.usable) {
            continue;
        }
        usable = true;
        const auto image = choice.usable->reference;
        if (container.image != image) {
            if (decision.changes.size() == kMaxChanges) {
                return refused("the pod has too many containers");
            }
            decision.changes.push_back(
                {container.name, container.image.value_or(std::string_view{}), image});
            decision.patch.push_back(ops.make(container, image));
        }
    }
    if (!usable) {
        decision.reason = Reason::NoImageForContainers;
        return decision;
    }
    if (decision.patch.empty()) {
        decision.reason = Reason::AlreadyRestored;
        return decision;
    }
    decision.reason = Reason::Restored;
    if (settings.annotate_restored) {
        annotate_pod(pod, backup->name(), decision.patch);
    }
    if (!admission::prove(decision.patch, *pod.object)) {
        return refused("the patch does not apply to this pod");
    }
    return decision;
}

}  // namespace smw::checkpoint_restore
