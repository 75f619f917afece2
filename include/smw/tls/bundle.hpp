#pragma once
// A text of certificates that are to be trusted, taken apart: what a caBundle, or ca.crt, really
// says to an API server. Values in, values out; any thread.

#include "smw/tls/inspect.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smw::tls {

struct BundleCertificate {
    CertificateDetails details;
    std::string pem;  ///< of this certificate alone, the same text whatever it was read from
};

/// Those that crypto/x509's AppendCertsFromPEM takes, in their order, doubles included. Passed over
/// is what it passes over: text around them, keys, other spellings of BEGIN, headers, damaged ones.
[[nodiscard]] std::vector<BundleCertificate> read_bundle(std::string_view pem);

}  // namespace smw::tls
