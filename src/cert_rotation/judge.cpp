#include "cert_rotation/judge.hpp"

#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace smw::cert_rotation {
namespace {

using tls::Rule;

/// Without these the two are a pair.
constexpr std::array kNoPair{
    Rule::NoCertificate, Rule::UnreadableCertificate, Rule::NoKey,
    Rule::EncryptedKey,  Rule::UnreadableKey,         Rule::ForeignKey,
    Rule::DamagedKey,    Rule::LeafNotFirst,
};

/// What is said about the key, and not about the certificate.
constexpr std::array kOfKeys{Rule::NoKey, Rule::EncryptedKey, Rule::UnreadableKey,
                             Rule::DamagedKey};

/// The two keys of a Secret that are judged together.
struct Pair {
    std::string_view secret;
    const SecretValue& certificate;
    const SecretValue& key;
};

/// The first that is refused; empty: nothing is.
std::string explain(const Pair& pair, const tls::Inspection& inspection) {
    const auto refused =
        std::ranges::find(inspection.findings, tls::Severity::Refused, &tls::Finding::severity);
    if (refused == inspection.findings.end()) {
        return {};
    }
    if (refused->rule == Rule::ForeignKey) {
        return fmt::format("the key {} in {} is not that of {}", pair.key.key, pair.secret,
                           pair.certificate.key);
    }
    if (std::ranges::find(kOfKeys, refused->rule) != kOfKeys.end()) {
        return fmt::format("{} in {}: {}", pair.key.key, pair.secret, refused->text);
    }
    return fmt::format("{} in {}: {}", pair.certificate.key, pair.secret, refused->text);
}

/// What is not even there.
std::string explain_absence(const Pair& pair) {
    const auto* absent = pair.certificate.is_there() ? &pair.key : &pair.certificate;
    return absent->is_there() ? "" : fmt::format("{} {}", pair.secret, absent->problem);
}

std::string first_missing(const std::vector<std::string>& wanted,
                          const std::vector<std::string>& names) {
    const auto missing = std::ranges::find_if(wanted, [&](const std::string& name) {
        return std::ranges::find(names, name) == names.end();
    });
    return missing == wanted.end() ? "" : *missing;
}

}  // namespace

Authority judge_authority(std::string_view secret, const SecretValue& certificate,
                          const SecretValue& key, WallTime now) {
    const Pair pair{secret, certificate, key};
    Authority authority;
    authority.problem = explain_absence(pair);
    if (!authority.is_usable()) {
        return authority;
    }
    authority.pair = {certificate.bytes, key.bytes};
    const auto inspection = tls::inspect_authority({certificate.bytes, key.bytes}, now);
    authority.problem = explain(pair, inspection);
    if (!authority.is_usable()) {
        return authority;
    }
    // The first signs; what follows it is no business of ours.
    const auto readable = tls::read_bundle(certificate.bytes);
    if (readable.empty() || readable.front().details != inspection.certificates.front()) {
        authority.problem =
            fmt::format("{} in {} is not PEM as API servers read it", certificate.key, secret);
        return authority;
    }
    authority.certificate = readable.front();
    return authority;
}

bool Leaf::is_signed_by(const Authority& ca) const {
    if (!details || !ca.is_usable()) {
        return false;
    }
    const auto when = std::max(details->not_before, ca.certificate.details.not_before);
    return tls::believes({ca.certificate.pem, "", when}, chain_pem).has_value();
}

Leaf judge_leaf(const CertsSecret& certs, const LeafQuestion& question) {
    const Pair pair{question.secret, certs.tls_crt, certs.tls_key};
    Leaf leaf;
    leaf.problem = explain_absence(pair);
    if (!leaf.is_usable()) {
        return leaf;
    }
    leaf.chain_pem = certs.tls_crt.bytes;
    const auto inspection =
        tls::inspect({leaf.chain_pem, certs.tls_key.bytes}, {question.names, question.now});
    leaf.problem = explain(pair, inspection);
    leaf.key_fits = std::ranges::none_of(inspection.findings, [](const tls::Finding& finding) {
        return std::ranges::find(kNoPair, finding.rule) != kNoPair.end();
    });
    if (!inspection.certificates.empty()) {
        leaf.details = inspection.certificates.front();
        leaf.missing_name = first_missing(question.names, leaf.details->names);
    }
    return leaf;
}

}  // namespace smw::cert_rotation
