// What a step becomes: a request and its sentence, or a date.

#include "cert_rotation/schedule.hpp"
#include "cert_rotation/steps.hpp"
#include "cert_rotation/words.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::cert_rotation {
namespace {

/// The wall clock may be set, and a machine may sleep, while the steady clock tells nothing of it.
constexpr std::chrono::minutes kLongestWait{1};
constexpr std::chrono::milliseconds kShortestWait{100};
constexpr std::chrono::seconds kAfterFailure{10};

const kube::Resource kSecrets{"", "v1", "Secret", "secrets"};

void consider(Plan& plan, std::string step, std::optional<WallTime> date) {
    if (date && (!plan.next_date || *date < *plan.next_date)) {
        plan.next_date = date;
        plan.next_step = std::move(step);
    }
}

}  // namespace

Plan outlook(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto& settings = draft.settings();
    Plan plan;
    plan.look_again = draft.question.now.steady;
    plan.phase = situation.retiring.empty() ? Phase::Steady : Phase::Overlap;
    if (!situation.in_use.is_usable() || !situation.next.is_usable()) {
        return plan;
    }
    const auto& ca = situation.in_use.certificate.details;
    consider(plan, "the CA gives way to the next", rotation_date(ca, situation.since, settings));
    consider(plan, "a new next CA is made",
             staleness_date(situation.next.certificate.details, settings));
    consider(plan, "the old CA is dropped", situation.drop_date);
    if (situation.leaf.is_usable() && situation.leaf_is_of_ca_in_use) {
        consider(plan, "the serving certificate is renewed",
                 renewal_date(*situation.leaf.details, ca, settings));
    }
    return plan;
}

Plan wait(const Draft& draft, const std::vector<Pending>& pending) {
    Plan plan = outlook(draft);
    const auto& now = draft.question.now;
    plan.reason = plan.phase == Phase::Overlap
                      ? fmt::format("{} stays trusted for a while",
                                    words(missing_in({}, draft.situation.retiring)))
                      : "all is in place";
    for (const auto& one : pending) {
        plan.phase = Phase::Publishing;
        plan.reason = "waiting for " + one.what;
        if (one.ready) {
            plan.next_date =
                now.wall + std::chrono::duration_cast<WallTime::duration>(*one.ready - now.steady);
            plan.next_step = "a CA is known to every API server";
        }
    }
    Duration left = kLongestWait;
    if (plan.next_date && *plan.next_date < now.wall + kLongestWait) {
        left = std::max<Duration>(*plan.next_date - now.wall, kShortestWait);
    }
    plan.look_again = now.steady + left;
    return plan;
}

Plan plan_secret(const Draft& draft, const SecretWrite& write) {
    const bool is_ca = write.target == Write::Target::CaSecret;
    const auto& world = draft.world();
    const auto key = is_ca ? ca_key(draft.settings()) : certs_key(draft.settings());
    std::optional<Seen> seen;
    if (is_ca && world.ca) {
        seen = world.ca->seen;
    } else if (!is_ca && world.certs) {
        seen = world.certs->seen;
    }
    Plan plan = outlook(draft);
    plan.phase = write.phase;
    plan.reason = write.reason;
    plan.write = Write{write.target,
                       seen ? Write::Verb::MergePatch : Write::Verb::Create,
                       kSecrets,
                       key,
                       seen ? seen->uid : "",
                       seen ? patch_secret(*seen, write.change)
                            : create_secret(key, is_ca ? kOpaque : kTlsSecret, write.change),
                       write.event};
    return plan;
}

Plan plan_failure(const Draft& draft, Error error) {
    Plan plan = outlook(draft);
    plan.reason = error.message;
    plan.failure = std::move(error);
    plan.look_again = draft.question.now.steady + kAfterFailure;
    return plan;
}

}  // namespace smw::cert_rotation
