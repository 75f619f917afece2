#pragma once
// The serving certificate: a private key and the chain that goes with it, in PEM.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"
#include "smw/tls/inspect.hpp"

#include <string>
#include <vector>

namespace smw::tls {

struct Identity {
    std::string chain_pem;  ///< leaf first, without what else was in the file
    std::string key_pem;
    WallTime not_before;
    WallTime not_after;
    std::vector<std::string> names;     ///< DNS and IP SANs of the leaf
    std::vector<std::string> warnings;  ///< suspicious, but taken
};

/// A pair of which inspect() refuses nothing but its time, which is not judged here (see
/// validity()). An error says all that is refused.
[[nodiscard]] Expected<Identity> make_identity(std::string chain_pem, std::string key_pem,
                                               const Expectation& expectation);

/// An error when `identity` is expired or not valid yet, naming the dates.
[[nodiscard]] Expected<void> validity(const Identity& identity, WallTime now);

/// A CA made for one process and a leaf that it signed: P-256, valid for `names` (DNS names or IP
/// addresses) for a year, the CA's key forgotten.
struct Ephemeral {
    Identity identity;
    std::string ca_pem;
};
[[nodiscard]] Expected<Ephemeral> make_ephemeral(const Expectation& expectation);

}  // namespace smw::tls
