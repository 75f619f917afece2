#pragma once
// When a certificate's time has come, on the wall clock. Pure.

#include "smw/base/clock.hpp"
#include "smw/cert_rotation/rotation.hpp"
#include "smw/tls/inspect.hpp"

#include <optional>

namespace smw::cert_rotation {

/// When the CA in use gives way: with a third of its life left, and at the latest when it has been
/// in use for two thirds of ca_lifetime. So a CA that was made for ten years, and adopted, is
/// not used for longer than one of ours.
[[nodiscard]] WallTime rotation_date(const tls::CertificateDetails& ca, WallTime in_use_since,
                                     const Settings& settings);

/// When a CA that waits for its turn has too little left of its life to be worth it.
[[nodiscard]] WallTime staleness_date(const tls::CertificateDetails& next,
                                      const Settings& settings);

/// How long a new one lives that will be taken into use when another has been for two thirds of
/// ca_lifetime: so much longer, so that it has all of its own before it.
[[nodiscard]] std::chrono::seconds lifetime_of_next(const Settings& settings);

/// With a third of its life left; nothing when a new one would not last longer, as it ends with
/// its CA.
[[nodiscard]] std::optional<WallTime> renewal_date(const tls::CertificateDetails& leaf,
                                                   const tls::CertificateDetails& ca,
                                                   const Settings& settings);

/// `wanted`, with each span made one that can be reckoned with: at least a second (waits: none), at
/// most a century.
[[nodiscard]] Settings within_reason(Settings wanted);

}  // namespace smw::cert_rotation
