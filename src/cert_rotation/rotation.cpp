#include "smw/cert_rotation/rotation.hpp"

#include "cert_rotation/memory.hpp"
#include "cert_rotation/schedule.hpp"
#include "cert_rotation/steps.hpp"

#include <utility>

namespace smw::cert_rotation {
namespace {

std::string served_leaf(const World& world) {
    const auto chain = world.certs ? tls::read_bundle(world.certs->tls_crt.bytes)
                                   : std::vector<tls::BundleCertificate>{};
    return chain.empty() ? "" : chain.front().details.sha256;
}

Plan decide(const Draft& draft) {
    for (const auto step : {&mend_authorities, &record_retiring, &publish}) {
        if (auto plan = step(draft)) {
            return *std::move(plan);
        }
    }
    const auto now = draft.question.now.steady;
    std::vector<Pending> pending;
    if (auto rotation = rotation_pending(draft)) {
        if (rotation->is_ready(now)) {
            return rotate(draft);
        }
        pending.push_back(*std::move(rotation));
    }
    if (auto leaf = leaf_pending(draft)) {
        if (leaf->is_ready(now)) {
            return sign_leaf(draft);
        }
        pending.push_back(*std::move(leaf));
        // It brings the record with it.
        return wait(draft, pending);
    }
    if (auto plan = update_record(draft)) {
        return *std::move(plan);
    }
    return wait(draft, pending);
}

}  // namespace

std::string_view to_string(Phase phase) {
    switch (phase) {
        case Phase::Steady:
            return "steady";
        case Phase::Publishing:
            return "publishing";
        case Phase::Signing:
            return "signing";
        case Phase::Overlap:
            return "overlap";
        case Phase::WaitingForLease:
            return "waiting-for-lease";
        case Phase::Unknown:
            return "unknown";
    }
    return "";
}

std::string_view to_string(EventReason reason) {
    switch (reason) {
        case EventReason::CAIssued:
            return "CAIssued";
        case EventReason::CARotated:
            return "CARotated";
        case EventReason::CADropped:
            return "CADropped";
        case EventReason::LeafIssued:
            return "LeafIssued";
        case EventReason::CABundlePublished:
            return "CABundlePublished";
        case EventReason::CABundleMended:
            return "CABundleMended";
        case EventReason::SecretMended:
            return "SecretMended";
        case EventReason::RotationFailed:
            return "RotationFailed";
    }
    return "";
}

Rotation::Rotation(Settings settings, Issuers issuers)
    : settings_(within_reason(std::move(settings))), issuers_(std::move(issuers)) {}

void Rotation::observe(const World& world, TimePoint now) {
    remember(memory_, read_entries(world), served_leaf(world), now);
}

Plan Rotation::next(const World& world, const Now& now) {
    auto entries = read_entries(world);
    remember(memory_, entries, served_leaf(world), now.steady);
    const Question question{settings_, world, memory_, now};
    const auto situation = judge(question, std::move(entries));
    return decide({question, situation, issuers_});
}

}  // namespace smw::cert_rotation
