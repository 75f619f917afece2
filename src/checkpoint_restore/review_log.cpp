#include "checkpoint_restore/review_log.hpp"

namespace smw::checkpoint_restore {

void ReviewLog::begin() const {
    if (!logger_.enabled(level())) {
        return;
    }
    logger_.write(level(), "Processing pod mutation",
                  {{"pod", pod_.name}, {"namespace", pod_.namespace_}, {"uid", uid_}});
    if (!pod_.job.empty()) {
        logger_.info("Pod is from Job", {{"job", pod_.job}, {"pod", pod_.name}, {"uid", uid_}});
    }
}

void ReviewLog::explain(const std::vector<Candidate>& candidates) const {
    for (const auto& candidate : candidates) {
        const std::string_view name = candidate.name;
        if (!candidate.why.empty()) {
            logger_.debug("CheckpointBackup not used",
                          {{"backup", name},
                           {"uid", uid_},
                           {"match", std::string_view{candidate.match}},
                           {"why", std::string_view{candidate.why}}});
        }
        for (const std::string_view container : candidate.unknown_containers) {
            logger_.debug("CheckpointBackup has a container that the pod lacks",
                          {{"backup", name}, {"uid", uid_}, {"container", container}});
        }
    }
}

void ReviewLog::end(const Decision& decision, const admission::Response& response) const {
    if (!logger_.enabled(level())) {
        return;
    }
    if (!response.patch) {
        left_unchanged(decision.reason);
        return;
    }
    logger_.info("Found matching CheckpointBackup",
                 {{"backup", decision.backup->name()}, {"uid", uid_}});
    for (const auto& change : decision.changes) {
        logger_.info("Patching container image", {{"container", change.container},
                                                  {"originalImage", change.original},
                                                  {"newImage", change.image},
                                                  {"uid", uid_}});
    }
    logger_.info("Applying image patches",
                 {{"patches", std::string_view{response.patch->json}}, {"uid", uid_}});
}

void ReviewLog::left_unchanged(Reason reason) const {
    constexpr auto kMessage = "Pod left unchanged";
    const log::Field pod{"pod", pod_.name};
    const log::Field where{"namespace", pod_.namespace_};
    const log::Field why{"reason", to_string(reason)};
    const log::Field uid{"uid", uid_};
    if (pod_.job.empty()) {
        logger_.write(level(), kMessage, {pod, where, why, uid});
    } else {
        // Of a Pod without a name this is what people search for.
        logger_.write(level(), kMessage, {pod, where, why, uid, {"job", pod_.job}});
    }
}

}  // namespace smw::checkpoint_restore
