#pragma once
// What is in a file of PEM certificates (RFC 7468), and its dates.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"
#include "tls/openssl.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smw::tls {

/// Every certificate of `pem`, at least one; what stands between them is passed over. `whose` is
/// "the CA" in errors.
[[nodiscard]] Expected<std::vector<Certificate>> read_certificates(const std::string& pem,
                                                                   std::string_view whose);

/// The nearest that a WallTime can hold: "no end" is the year 9999 (RFC 5280 4.1.2.5).
[[nodiscard]] WallTime wall_time(const ASN1_TIME* time);
/// "2026-11-21T10:00:00Z"
[[nodiscard]] std::string utc_text(WallTime time);

}  // namespace smw::tls
