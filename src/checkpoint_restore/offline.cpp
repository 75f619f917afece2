#include "smw/checkpoint_restore/offline.hpp"

#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/resources.hpp"
#include "checkpoint_restore/respond.hpp"
#include "checkpoint_restore/settings.hpp"

#include <fmt/format.h>

namespace smw::checkpoint_restore {
namespace {

std::string describe(const Owner& owner, const Pod& pod) {
    if (owner.state == Owner::State::NotAsked) {
        return {};
    }
    if (job_is_gone(pod, owner)) {
        return fmt::format("Job {} is another one now: its uid differs from the pod's owner",
                           pod.job);
    }
    if (owner.cronjob) {
        return fmt::format("Job {} belongs to CronJob {}", pod.job, *owner.cronjob);
    }
    return fmt::format("Job {} belongs to no CronJob, or is not known", pod.job);
}

bool decides(Reason reason) {
    return reason == Reason::Restored || reason == Reason::AlreadyRestored;
}

Judgement describe(const Pod& pod, const Owner& owner, const Decision& decision,
                   std::vector<Candidate> candidates) {
    Judgement judgement;
    judgement.reason = to_string(decision.reason);
    judgement.namespace_ = pod.namespace_;
    judgement.pod = pod.name;
    judgement.job = pod.job;
    judgement.owner = describe(owner, pod);
    for (const auto& change : decision.changes) {
        ChangedImage changed;
        changed.container = change.container;
        changed.original = change.original;
        changed.image = change.image;
        judgement.images.push_back(std::move(changed));
    }
    judgement.patch = decision.patch;
    judgement.candidates = std::move(candidates);
    if (decides(decision.reason)) {
        judgement.backup = decision.backup->name();
        judgement.candidates.front().decided = true;
    }
    judgement.response = respond(decision);
    return judgement;
}

}  // namespace

struct Offline::State {
    Settings settings;
    std::unique_ptr<log::Output> output = log::make_null_output();
    log::Logger logger{"review", log::Settings{}, *output};
    BackupStore backups{project_backups(logger)};
    JobStore jobs{read_job};
};

Offline::Offline() : state_(std::make_unique<State>()) {}

Offline::~Offline() = default;

Options Offline::options() {
    return options_of(state_->settings);
}

Expected<std::vector<watch::Problem>> Offline::load(const std::filesystem::path& folder) {
    watch::ManifestSet manifests{{checkpoint_backups(), batch_jobs()}};
    if (const auto read = watch::read_folder(folder, manifests); !read) {
        return tl::unexpected(read.error());
    }
    manifests.apply(checkpoint_backups(), state_->backups);
    manifests.apply(batch_jobs(), state_->jobs);
    return manifests.problems();
}

Expected<void> Offline::add(json::Value object) {
    const bool backup = watch::is_of(object, checkpoint_backups());
    if (!backup && !watch::is_of(object, batch_jobs())) {
        return {};
    }
    const auto text = watch::with_namespace(object);
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto document = json::Document::parse(text->json);
    if (!document) {
        return tl::unexpected(document.error());
    }
    return backup ? state_->backups.apply(document->root()) : state_->jobs.apply(document->root());
}

Expected<Judgement> Offline::judge(const admission::Request& request) const {
    const auto classified = classify(request, state_->settings);
    if (!classified) {
        return tl::unexpected(classified.error());
    }
    const Pod& pod = classified->pod;
    Owner owner;
    if (classified->settled) {
        return describe(pod, owner, settle(*classified->settled, classified->nonce), {});
    }
    auto view = look(state_->backups, {pod, owner, state_->settings, true});
    if (!view.decision) {
        owner = owner_from(state_->jobs, {pod.namespace_, pod.job});
        view = look(state_->backups, {pod, owner, state_->settings, true});
    }
    return describe(pod, owner, *view.decision, std::move(view.candidates));
}

}  // namespace smw::checkpoint_restore
