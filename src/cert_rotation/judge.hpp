#pragma once
// What is wrong with the pairs of both Secrets, in clauses that name Secret and key. Pure.

#include "smw/base/clock.hpp"
#include "smw/cert_rotation/world.hpp"
#include "smw/tls/bundle.hpp"
#include "smw/tls/issue.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::cert_rotation {

/// A CA with its key.
struct Authority {
    std::string problem;  ///< "Secret ns/ca has no ca.key"; empty: it can sign now
    tls::Issued pair;     ///< as it is stored
    tls::BundleCertificate certificate;

    [[nodiscard]] bool is_usable() const { return problem.empty(); }
    [[nodiscard]] const std::string& sha256() const { return certificate.details.sha256; }
    [[nodiscard]] const std::string& subject() const { return certificate.details.subject; }
};

/// `secret` is "Secret ns/name".
[[nodiscard]] Authority judge_authority(std::string_view secret, const SecretValue& certificate,
                                        const SecretValue& key, WallTime now);

/// What replicas serve.
struct Leaf {
    std::string problem;  ///< why they would not take it, empty: they do
    /// Nothing when there is none that can be read.
    std::optional<tls::CertificateDetails> details;
    bool key_fits = false;  ///< it is a pair, whatever else is wrong with it
    std::string missing_name;
    std::string chain_pem;

    [[nodiscard]] bool is_usable() const { return problem.empty(); }
    /// Whenever that was.
    [[nodiscard]] bool is_signed_by(const Authority& ca) const;
};

struct LeafQuestion {
    std::string secret;
    std::vector<std::string> names;
    WallTime now;
};
[[nodiscard]] Leaf judge_leaf(const CertsSecret& certs, const LeafQuestion& question);

}  // namespace smw::cert_rotation
