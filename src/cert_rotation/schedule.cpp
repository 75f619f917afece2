#include "cert_rotation/schedule.hpp"

#include <algorithm>

namespace smw::cert_rotation {
namespace {

using std::chrono::seconds;

constexpr seconds kCentury = std::chrono::hours{24 * 365 * 100};

/// In seconds: a certificate may be valid for longer than WallTime's nanoseconds can count.
seconds since_epoch(WallTime time) {
    return std::chrono::duration_cast<seconds>(time.time_since_epoch());
}

/// A third of the life that it was made for. Those of ours are backdated, which is no life.
seconds third_of_life(const tls::CertificateDetails& certificate, seconds made_for) {
    return std::min(since_epoch(certificate.not_after) - since_epoch(certificate.not_before),
                    made_for) /
           3;
}

}  // namespace

WallTime rotation_date(const tls::CertificateDetails& ca, WallTime in_use_since,
                       const Settings& settings) {
    return std::min(ca.not_after - third_of_life(ca, settings.ca_lifetime),
                    in_use_since + settings.ca_lifetime * 2 / 3);
}

WallTime staleness_date(const tls::CertificateDetails& next, const Settings& settings) {
    return next.not_after - third_of_life(next, settings.ca_lifetime);
}

std::chrono::seconds lifetime_of_next(const Settings& settings) {
    return settings.ca_lifetime + settings.ca_lifetime * 2 / 3;
}

std::optional<WallTime> renewal_date(const tls::CertificateDetails& leaf,
                                     const tls::CertificateDetails& ca, const Settings& settings) {
    if (leaf.not_after >= ca.not_after) {
        return std::nullopt;
    }
    return leaf.not_after - third_of_life(leaf, settings.leaf_lifetime);
}

Settings within_reason(Settings wanted) {
    for (auto* life : {&wanted.leaf_lifetime, &wanted.ca_lifetime}) {
        *life = std::clamp(*life, seconds{1}, kCentury);
    }
    for (auto* wait : {&wanted.ca_overlap, &wanted.ca_publish_wait}) {
        *wait = std::clamp(*wait, seconds{0}, kCentury);
    }
    return wanted;
}

}  // namespace smw::cert_rotation
