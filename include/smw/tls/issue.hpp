#pragma once
// Making certificates: a CA, and leaves that it signs. P-256, random serials of 128 bits, valid
// from an hour ago for callers whose clock is behind. Values in, values out; any thread.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace smw::tls {

/// A certificate and its key, as they are stored.
struct Issued {
    std::string certificate_pem;
    std::string key_pem;
};

struct CaRequest {
    std::string common_name;
    WallTime now;
    std::chrono::seconds lifetime{};
};

struct LeafRequest {
    std::string common_name;
    std::vector<std::string> names;  ///< DNS names, "*." in front or not, and IP addresses
    WallTime now;
    std::chrono::seconds lifetime{};  ///< ends with the CA's at the latest
};

/// Signs itself; may sign leaves, and no further CA.
[[nodiscard]] Expected<Issued> issue_ca(const CaRequest& request);

/// For servers. BadRequest names what inspect_authority() refuses of the CA, or the name that is
/// none.
[[nodiscard]] Expected<Issued> issue_leaf(const LeafRequest& request, const Issued& ca);

/// "stateful-migration-webhook-ca-5f0c21aa": two CAs are told apart where only names are shown.
[[nodiscard]] std::string make_ca_name();

struct ServiceAddress {
    std::string name;
    std::string namespace_;
    std::string cluster_domain = "cluster.local";
};

/// The names by which a Service can be asked for; the one that API servers use comes first. None
/// ends in a number, as a name would that ends with such a namespace.
[[nodiscard]] std::vector<std::string> dns_names(const ServiceAddress& service);

}  // namespace smw::tls
