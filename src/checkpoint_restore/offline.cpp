#include "smw/checkpoint_restore/offline.hpp"

#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/offline_reader.hpp"
#include "checkpoint_restore/resources.hpp"
#include "checkpoint_restore/respond.hpp"
#include "checkpoint_restore/settings.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

namespace smw::checkpoint_restore {
namespace {

std::string describe(const Owner& owner, const Pod& pod) {
    if (owner.state == Owner::State::NotAsked) {
        return {};
    }
    if (owner.state == Owner::State::Gone) {
        return fmt::format("Job {} does not exist", pod.job);
    }
    if (job_is_gone(pod, owner)) {
        return fmt::format("Job {} is another one now: its uid differs from the pod's owner",
                           pod.job);
    }
    if (owner.cronjob) {
        return fmt::format("Job {} belongs to CronJob {}", pod.job, *owner.cronjob);
    }
    // A Job of a manifest has no uid; one that is in none counts as known.
    return fmt::format("Job {} belongs to no CronJob{}", pod.job,
                       owner.uid.empty() ? ", or is not known" : "");
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
    std::set<kube::ObjectKey> given;      ///< backups that were added: these count
    std::optional<OfflineReader> reader;  ///< nothing: files only
    bool loaded = false;                  ///< a folder, be it empty

    Expected<View> decide(const Pod& pod, Owner& owner);
    Expected<Owner> owner_of(const Pod& pod);
};

/// As the server does it; `owner` is what was asked for.
Expected<View> Offline::State::decide(const Pod& pod, Owner& owner) {
    if (reader) {
        if (auto read = reader->read_backups(pod.namespace_, given, backups); !read) {
            return tl::unexpected(read.error());
        }
    }
    auto view = look(backups, {pod, owner, settings, true});
    if (!view.decision) {
        auto asked = owner_of(pod);
        if (!asked) {
            return tl::unexpected(asked.error());
        }
        owner = *std::move(asked);
        view = look(backups, {pod, owner, settings, true});
    }
    return view;
}

Expected<Owner> Offline::State::owner_of(const Pod& pod) {
    const watch::ObjectKeyView key{pod.namespace_, pod.job};
    const bool known = jobs.read([&](const JobIndex& index) { return index.find(key) != nullptr; });
    return known || !reader ? owner_from(jobs, key) : reader->read_owner_of(pod);
}

Offline::Offline() : state_(std::make_unique<State>()) {}

Offline::~Offline() = default;

Options Offline::options() {
    return deciding_options(state_->settings);
}

Expected<std::vector<watch::Problem>> Offline::load(const std::filesystem::path& folder) {
    watch::ManifestSet manifests{{checkpoint_backups(), batch_jobs()}};
    if (const auto read = watch::read_folder(folder, manifests); !read) {
        return tl::unexpected(read.error());
    }
    manifests.apply(checkpoint_backups(), state_->backups);
    manifests.apply(batch_jobs(), state_->jobs);
    state_->loaded = true;
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
    if (!backup) {
        return state_->jobs.apply(document->root());
    }
    if (auto key = watch::read_object_key(document->root())) {
        state_->given.insert(*std::move(key));
    }
    return state_->backups.apply(document->root());
}

void Offline::ask(AskApi api) {
    state_->reader.emplace(std::move(api));
}

bool Offline::has_source() const {
    return state_->loaded || !state_->given.empty() || state_->reader;
}

Expected<Judgement> Offline::judge(const admission::Request& request) {
    const auto classified = classify(request, state_->settings);
    if (!classified) {
        return tl::unexpected(classified.error());
    }
    const Pod& pod = classified->pod;
    Owner owner;
    if (classified->settled) {
        return describe(pod, owner, settle(*classified->settled, classified->nonce), {});
    }
    auto view = state_->decide(pod, owner);
    if (!view) {
        return tl::unexpected(view.error());
    }
    return describe(pod, owner, *view->decision, std::move(view->candidates));
}

}  // namespace smw::checkpoint_restore
