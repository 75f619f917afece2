#include "checkpoint_restore/respond.hpp"

#include "smw/base/version.hpp"

#include <fmt/format.h>

namespace smw::checkpoint_restore {

Decision settle(Reason reason, std::string_view nonce) {
    Decision decision;
    decision.reason = reason;
    if (reason == Reason::SelfTest) {
        // Scripts, doctor and `helm test` look for exactly this.
        decision.warnings.push_back(
            fmt::format("stateful-migration-webhook {} answered {}", version(), nonce));
    }
    return decision;
}

Decision not_synced() {
    Decision decision;
    decision.reason = Reason::CacheNotSynced;
    decision.undecided = admission::Undecided::Timeout;
    decision.warnings.emplace_back(
        "checkpoint-restore: images left as they are, CheckpointBackups are not read yet");
    return decision;
}

admission::Response respond(const Decision& decision) {
    admission::Response response;
    response.reason = static_cast<std::size_t>(decision.reason);
    response.warnings = decision.warnings;
    response.undecided = decision.undecided;
    if (!decision.patch.empty()) {
        response.patch = admission::to_json(decision.patch);
    }
    const bool restored =
        decision.reason == Reason::Restored || decision.reason == Reason::AlreadyRestored;
    response.audit_annotations.reserve(2);
    // The API server refuses another value when it calls again (reinvocation), and by then a
    // restored pod is already restored: both read the same.
    response.audit_annotations.emplace_back(
        "reason", to_string(restored ? Reason::Restored : decision.reason));
    if (restored) {
        response.audit_annotations.emplace_back(
            "checkpoint-backup",
            fmt::format("{}/{}", decision.backup->namespace_(), decision.backup->name()));
    }
    return response;
}

}  // namespace smw::checkpoint_restore
