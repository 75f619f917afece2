#pragma once
// The dates of certificates.

#include "smw/base/clock.hpp"
#include "tls/openssl.hpp"

#include <string>

namespace smw::tls {

/// The nearest that a WallTime can hold: "no end" is the year 9999 (RFC 5280 4.1.2.5).
[[nodiscard]] WallTime wall_time(const ASN1_TIME* time);
/// "2026-11-21T10:00:00Z"
[[nodiscard]] std::string utc_text(WallTime time);

}  // namespace smw::tls
