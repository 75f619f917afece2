#include "cert_rotation/rotation_meters.hpp"

#include "smw/cert_rotation/bundle.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace smw::cert_rotation {
namespace {

constexpr std::array kPhases{Phase::Steady,  Phase::Publishing,      Phase::Signing,
                             Phase::Overlap, Phase::WaitingForLease, Phase::Unknown};

double seconds_of(WallTime time) {
    return std::chrono::duration<double>{time.time_since_epoch()}.count();
}

/// Of the first certificate; 0 when there is none.
double expiry_of(const SecretValue& chain) {
    const auto bundle = Bundle::parse(chain.bytes);
    return bundle.empty() ? 0 : seconds_of(bundle.certificates().front().details.not_after);
}

metrics::Gauge expiry_gauge(metrics::Registry& registry, std::string_view role) {
    return registry
        .gauge({"smw_certificate_expiry_timestamp_seconds",
                "When a certificate expires, in seconds since 1970.",
                {"role"}})
        .with({role});
}

}  // namespace

RotationMeters::RotationMeters(metrics::Registry& registry)
    : ca_expiry_(expiry_gauge(registry, "ca")),
      next_ca_expiry_(expiry_gauge(registry, "ca-next")),
      in_step_(registry
                   .gauge({"smw_ca_bundle_in_step",
                           "Whether every caBundle that calls this Service has the CA in use and "
                           "the next one (1) or not (0).",
                           {}})
                   .with({})),
      next_date_(registry
                     .gauge({"smw_certificate_rotation_next_timestamp_seconds",
                             "When the holder of the Lease has the next step to do, in seconds "
                             "since 1970; 0 on the other replicas.",
                             {}})
                     .with({})),
      phases_(registry.gauge({"smw_certificate_rotation_phase",
                              "Where the rotation of certificates stands; 1 for the phase that is.",
                              {"phase"}})),
      steps_(registry.counter({"smw_certificate_rotation_steps_total",
                               "What was written for self-managed certificates, and what of it "
                               "failed.",
                               {"step", "result"}})) {}

void RotationMeters::look(const World& world) const {
    ca_expiry_.set(world.ca ? expiry_of(world.ca->ca_crt) : 0);
    next_ca_expiry_.set(world.ca ? expiry_of(world.ca->next_crt) : 0);
    Bundle wanted;
    if (world.ca) {
        wanted.add(Bundle::parse(world.ca->ca_crt.bytes));
        wanted.add(Bundle::parse(world.ca->next_crt.bytes));
    }
    const bool in_step =
        !wanted.empty() &&
        std::ranges::all_of(world.configurations, [&](const auto& configuration) {
            return std::ranges::all_of(configuration.entries, [&](const auto& entry) {
                return Bundle::parse(entry.ca_bundle).has_all(wanted);
            });
        });
    in_step_.set(in_step ? 1 : 0);
}

void RotationMeters::show(const Plan& plan) const {
    for (const auto phase : kPhases) {
        phases_.with({to_string(phase)}).set(phase == plan.phase ? 1 : 0);
    }
    next_date_.set(plan.next_date ? seconds_of(*plan.next_date) : 0);
}

void RotationMeters::count(EventReason step, bool ok) const {
    steps_.with({to_string(step), ok ? "ok" : "failed"}).increment();
}

}  // namespace smw::cert_rotation
