#include "checkpoint_restore/handler.hpp"

#include "checkpoint_restore/respond.hpp"
#include "checkpoint_restore/review_log.hpp"

namespace smw::checkpoint_restore {

View look(const BackupStore& backups, const Lookup& lookup) {
    return backups.read([&](const BackupIndex& index) {
        View view;
        view.decision = decide(lookup.pod, index, lookup.owner, lookup.settings);
        if (lookup.explained && view.decision) {
            view.candidates = explain(lookup.pod, index, lookup.owner, lookup.settings);
        }
        return view;
    });
}

Task<View> PodMutator::decide_by_state(const Pod& pod, Deadline deadline) {
    if (!parts_.backups_synced.is_set()) {
        const bool synced = co_await parts_.backups_synced.wait(deadline);
        if (!synced) {
            View view;
            view.decision = not_synced();
            co_return view;
        }
    }
    const bool explained = parts_.logger.enabled(log::Level::Debug);
    Owner owner;
    const Lookup first{pod, owner, parts_.settings, explained};
    View view = look(parts_.backups, first);
    if (!view.decision) {
        kube::ObjectKey job;
        job.namespace_ = pod.namespace_;
        job.name = pod.job;
        std::string uid{pod.job_uid};
        owner = co_await parts_.jobs.owner_of(std::move(job), std::move(uid), deadline);
        const Lookup second{pod, owner, parts_.settings, explained};
        view = look(parts_.backups, second);
    }
    co_return view;
}

Task<Expected<admission::Response>> PodMutator::handle(const admission::Request& request,
                                                       Deadline deadline) {
    const auto classified = classify(request, parts_.settings);
    if (!classified) {
        co_return tl::unexpected(classified.error());
    }
    const Pod& pod = classified->pod;
    const ReviewLog log{parts_.logger, pod, request.uid};
    log.begin();
    View view;
    if (classified->settled) {
        view.decision = settle(*classified->settled, classified->nonce);
    } else {
        view = co_await decide_by_state(pod, deadline);
    }
    log.explain(view.candidates);
    auto response = respond(*view.decision);
    log.end(*view.decision, response);
    co_return response;
}

Task<Owner> ManifestJobs::owner_of(kube::ObjectKey job, std::string uid, Deadline deadline) {
    static_cast<void>(uid);  // compared by decide(): files are read by name
    if (!synced_.is_set()) {
        const bool synced = co_await synced_.wait(deadline);
        if (!synced) {
            Owner owner;
            owner.state = Owner::State::Unanswered;
            co_return owner;
        }
    }
    const watch::ObjectKeyView key{job.namespace_, job.name};
    co_return owner_from(jobs_, key);
}

}  // namespace smw::checkpoint_restore
