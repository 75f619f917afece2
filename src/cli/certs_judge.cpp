#include "cli/certs_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace smw::cli {
namespace {

using tls::Finding;
using tls::Rule;
using tls::Severity;

void add(CertificateReport& report, CertificateGroup group, tls::Inspection inspection) {
    group.certificates = std::move(inspection.certificates);
    std::ranges::move(inspection.findings, std::back_inserter(report.findings));
    if (!group.certificates.empty()) {
        report.groups.push_back(std::move(group));
    }
}

void add_missing(CertificateReport& report, std::string_view file) {
    // When it could not be read that was said, and why.
    const bool known = std::ranges::any_of(report.findings, [&](const Finding& finding) {
        return finding.rule == Rule::Missing && finding.text.starts_with(file);
    });
    if (!known) {
        report.findings.push_back(
            {Severity::Refused, Rule::Missing, fmt::format("{} is not there", file)});
    }
}

void judge_serving(CertificateReport& report, const FoundCertificates& found,
                   const tls::Expectation& expectation) {
    if (!found.chain) {
        add_missing(report, found.chain_name);
    }
    if (!found.key && found.shows_key) {
        add_missing(report, found.key_name);
    }
    auto inspection = tls::inspect({found.chain.value_or(""), found.key}, expectation);
    if (!found.chain) {
        std::erase_if(inspection.findings,
                      [](const auto& finding) { return finding.rule == Rule::NoCertificate; });
    }
    report.shows_leaf = !inspection.certificates.empty();
    add(report, {"Certificate", found.chain_name, {}}, std::move(inspection));
}

struct Authority {
    std::string_view title;
    std::string_view file;
    const std::optional<std::string>& certificate;
    const std::optional<std::string>& key;
};

void judge_authority(CertificateReport& report, const Authority& authority) {
    const CertificateGroup group{std::string{authority.title}, std::string{authority.file}, {}};
    if (authority.key && !authority.certificate) {
        add_missing(report, group.file);
    } else if (authority.key) {
        add(report, group,
            tls::inspect_authority({*authority.certificate, authority.key}, report.now));
    } else if (authority.certificate) {
        add(report, group, tls::inspect_trust(*authority.certificate, report.now));
    }
}

TrustVerdict ask(const TrustAnchor& anchor, const std::string& chain, WallTime now) {
    TrustVerdict verdict{anchor.by, anchor.name, {}};
    if (anchor.ca_pem.empty()) {
        verdict.why_not = "it is empty, and API servers then trust what their system trusts";
        return verdict;
    }
    const auto believed = tls::believes({anchor.ca_pem, anchor.name, now}, chain);
    verdict.why_not = believed ? std::string{} : believed.error().message;
    return verdict;
}

}  // namespace

bool CertificateReport::is_bad() const {
    return std::ranges::find(findings, Severity::Refused, &Finding::severity) != findings.end() ||
           std::ranges::any_of(trust, [](const auto& verdict) { return !verdict.why_not.empty(); });
}

CertificateReport judge(const FoundCertificates& found, const tls::Expectation& expectation,
                        const std::vector<TrustAnchor>& anchors) {
    CertificateReport report;
    report.place = found.place;
    report.note = found.note;
    report.now = expectation.now;
    report.asked_name = expectation.names.empty() ? std::string{} : expectation.names.front();
    report.findings = found.faults;
    if (!found.is_there) {
        return report;
    }
    if (found.serves()) {
        judge_serving(report, found, expectation);
    }
    judge_authority(report, {"CA", found.ca_name, found.ca, found.ca_key});
    judge_authority(report, {"Next CA", "ca-next.crt", found.next_ca, found.next_ca_key});
    // Nobody would come as far as asking for trust with a chain that begins with another's.
    if (!report.shows_leaf || std::ranges::find(report.findings, Rule::LeafNotFirst,
                                                &Finding::rule) != report.findings.end()) {
        return report;
    }
    if (found.ca) {
        report.trust.push_back(ask({found.ca_name, {}, *found.ca}, *found.chain, report.now));
    }
    for (const auto& anchor : anchors) {
        report.trust.push_back(ask(anchor, *found.chain, report.now));
    }
    return report;
}

}  // namespace smw::cli
