#include "smw/tls/identity.hpp"

#include "tls/inspect_pem.hpp"

#include <utility>

namespace smw::tls {
namespace {

bool is_about_time(const Finding& finding) {
    return finding.rule == Rule::Expired || finding.rule == Rule::NotYetValid;
}

}  // namespace

Expected<Identity> make_identity(std::string chain_pem, std::string key_pem,
                                 const Expectation& expectation) {
    Material material{std::move(chain_pem), std::move(key_pem)};
    const auto inspection = inspect(material, expectation);
    std::string refused;
    Identity identity;
    for (const auto& finding : inspection.findings) {
        if (finding.severity == Severity::Suspicious) {
            identity.warnings.push_back(finding.text);
        } else if (!is_about_time(finding)) {
            refused += (refused.empty() ? "" : "; ") + finding.text;
        }
    }
    if (!refused.empty()) {
        return fail(Code::BadRequest, std::move(refused));
    }
    const auto& leaf = inspection.certificates[inspection.leaf];
    identity.not_before = leaf.not_before;
    identity.not_after = leaf.not_after;
    identity.names = leaf.names;
    identity.chain_pem = only_certificates(material.chain);
    identity.key_pem = only_key(*material.key);
    forget(*material.key);
    return identity;
}

Expected<void> validity(const Identity& identity, WallTime now) {
    CertificateDetails leaf;
    leaf.not_before = identity.not_before;
    leaf.not_after = identity.not_after;
    if (const auto finding = judge_time(leaf, "the certificate", now)) {
        return fail(Code::BadRequest, finding->text);
    }
    return {};
}

}  // namespace smw::tls
