#include "smw/tls/inspect.hpp"

#include "tls/inspect_details.hpp"
#include "tls/inspect_pem.hpp"
#include "tls/inspect_rules.hpp"
#include "tls/pem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace smw::tls {
namespace {

void take_over(Findings& findings, Findings& others) {
    std::ranges::move(others, std::back_inserter(findings));
}

/// The key, when there is a good one. What is wrong with it is appended.
Key take_key(Findings& findings, const Material& material) {
    if (!material.key) {
        return nullptr;
    }
    auto parsed = parse_key(*material.key);
    if (parsed.finding) {
        findings.push_back(std::move(*parsed.finding));
    }
    return std::move(parsed.key);
}

std::vector<CertificateDetails> details_of_all(const Chain& chain) {
    std::vector<CertificateDetails> details;
    for (const auto& certificate : chain) {
        details.push_back(details_of(certificate.get()));
    }
    return details;
}

}  // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::Suspicious:
            return "suspicious";
        case Severity::Refused:
            return "refused";
    }
    return "";
}

std::string_view to_string(Rule rule) {
    switch (rule) {
        case Rule::Missing:
            return "missing";
        case Rule::NoCertificate:
            return "no-certificate";
        case Rule::UnreadableCertificate:
            return "unreadable-certificate";
        case Rule::NoKey:
            return "no-key";
        case Rule::EncryptedKey:
            return "encrypted-key";
        case Rule::UnreadableKey:
            return "unreadable-key";
        case Rule::ForeignKey:
            return "foreign-key";
        case Rule::DamagedKey:
            return "damaged-key";
        case Rule::LeafNotFirst:
            return "leaf-not-first";
        case Rule::WrongOrder:
            return "wrong-order";
        case Rule::NotNeeded:
            return "not-needed";
        case Rule::NotACa:
            return "not-a-ca";
        case Rule::NotForServers:
            return "not-for-servers";
        case Rule::NotForSigning:
            return "not-for-signing";
        case Rule::Expired:
            return "expired";
        case Rule::NotYetValid:
            return "not-yet-valid";
        case Rule::ExpiresSoon:
            return "expires-soon";
        case Rule::NoNames:
            return "no-names";
        case Rule::MissingName:
            return "missing-name";
        case Rule::SmallKey:
            return "small-key";
        case Rule::UnusualKey:
            return "unusual-key";
        case Rule::WeakSignature:
            return "weak-signature";
    }
    return "";
}

bool Inspection::is_refused() const {
    return std::ranges::find(findings, Severity::Refused, &Finding::severity) != findings.end();
}

Inspection inspect(const Material& material, const Expectation& expectation) {
    auto chain = parse_chain(material.chain, "the chain");
    Inspection inspection;
    const bool is_whole = chain.is_whole();
    take_over(inspection.findings, chain.findings);
    const Key key = take_key(inspection.findings, material);
    const auto& certificates = chain.certificates;
    inspection.certificates = details_of_all(certificates);
    if (certificates.empty()) {
        return inspection;
    }
    inspection.leaf = find_leaf(certificates, key.get());
    // With one that cannot be read it is not known whose the key is, nor who signed whom.
    if (is_whole && key) {
        judge_key(inspection.findings, certificates, key.get());
    }
    if (is_whole) {
        judge_order(inspection.findings, certificates, inspection.leaf);
        judge_issuers(inspection.findings, certificates, inspection.leaf, expectation.now);
    }
    judge_leaf(inspection.findings, certificates[inspection.leaf].get(), expectation);
    return inspection;
}

Inspection inspect_authority(const Material& material, WallTime now) {
    auto chain = parse_chain(material.chain, "the CA");
    Inspection inspection;
    take_over(inspection.findings, chain.findings);
    const Key key = take_key(inspection.findings, material);
    inspection.certificates = details_of_all(chain.certificates);
    if (chain.certificates.empty()) {
        return inspection;
    }
    X509* ca = chain.certificates.front().get();
    const auto what = fmt::format("the CA ({})", subject_of(ca));
    if (key && X509_check_private_key(ca, key.get()) != 1) {
        inspection.findings.push_back({Severity::Refused, Rule::ForeignKey,
                                       fmt::format("the private key does not belong to {}", what)});
    } else if (key && !signs_for(ca, key.get())) {
        inspection.findings.push_back(
            {Severity::Refused, Rule::DamagedKey,
             fmt::format("the private key of {} is damaged: what it signs does not verify", what)});
    }
    ERR_clear_error();
    judge_ca(inspection.findings, ca, what, Severity::Refused);
    if (auto time = judge_time(inspection.certificates.front(), what, now)) {
        inspection.findings.push_back(std::move(*time));
    }
    return inspection;
}

Inspection inspect_trust(const std::string& bundle_pem, WallTime now) {
    auto bundle = parse_chain(bundle_pem, "the CA bundle");
    Inspection inspection;
    take_over(inspection.findings, bundle.findings);
    inspection.certificates = details_of_all(bundle.certificates);
    std::size_t expired = 0;
    for (std::size_t index = 0; index < bundle.certificates.size(); ++index) {
        X509* ca = bundle.certificates[index].get();
        const auto what = fmt::format("number {} of the CA bundle ({})", index + 1, subject_of(ca));
        judge_ca(inspection.findings, ca, what, Severity::Suspicious);
        if (auto time = judge_time(inspection.certificates[index], what, now)) {
            time->severity = Severity::Suspicious;
            inspection.findings.push_back(std::move(*time));
            ++expired;
        }
    }
    // One that is left over beside a good one hurts nobody.
    if (expired > 0 && expired == bundle.certificates.size()) {
        for (auto& finding : inspection.findings) {
            const bool of_time = finding.rule == Rule::Expired || finding.rule == Rule::NotYetValid;
            finding.severity = of_time ? Severity::Refused : finding.severity;
        }
    }
    return inspection;
}

std::optional<Finding> judge_time(const CertificateDetails& certificate, std::string_view what,
                                  WallTime now) {
    if (now >= certificate.not_after) {
        return Finding{Severity::Refused, Rule::Expired,
                       fmt::format("{} expired at {}", what, to_text(certificate.not_after))};
    }
    if (now < certificate.not_before) {
        return Finding{
            Severity::Refused, Rule::NotYetValid,
            fmt::format("{} is not valid before {}", what, to_text(certificate.not_before))};
    }
    return std::nullopt;
}

PemContent count_pem(std::string_view text) {
    PemContent content;
    for (const auto& block : split_pem(text)) {
        content.certificates += is_certificate(block) ? 1 : 0;
        content.keys += is_key(block) ? 1 : 0;
    }
    return content;
}

std::string to_text(WallTime time) {
    return utc_text(time);
}

}  // namespace smw::tls
