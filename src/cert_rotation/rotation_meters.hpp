#pragma once
// What /metrics says of self-managed certificates, on every replica.

#include "smw/cert_rotation/rotation.hpp"
#include "smw/cert_rotation/world.hpp"
#include "smw/metrics/registry.hpp"

namespace smw::cert_rotation {

class RotationMeters {
public:
    explicit RotationMeters(metrics::Registry& registry);

    void look(const World& world) const;
    void show(const Plan& plan) const;
    void count(EventReason step, bool ok) const;

private:
    metrics::Gauge ca_expiry_;
    metrics::Gauge next_ca_expiry_;
    metrics::Gauge in_step_;
    metrics::Gauge next_date_;
    metrics::Family<metrics::Gauge> phases_;
    metrics::Family<metrics::Counter> steps_;
};

}  // namespace smw::cert_rotation
