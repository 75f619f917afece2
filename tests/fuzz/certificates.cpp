// PEM from files, Secrets and caBundles: certificates, and behind a zero byte a key.

#include "smw/cert_rotation/bundle.hpp"
#include "smw/tls/client_ca.hpp"
#include "smw/tls/identity.hpp"
#include "smw/tls/inspect.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <algorithm>

namespace smw::fuzz {
namespace {

const WallTime kNow{std::chrono::seconds{1795305600}};  // 2026-11-22

bool is_time(const tls::Finding& finding) {
    return finding.rule == tls::Rule::Expired || finding.rule == tls::Rule::NotYetValid;
}

void check_inspection(const tls::Inspection& inspection) {
    for (const auto& finding : inspection.findings) {
        check(!finding.text.empty() && is_one_line(finding.text), "a finding that is no line");
    }
    check(inspection.certificates.empty() || inspection.leaf < inspection.certificates.size(),
          "a leaf that is not there");
    for (const auto& details : inspection.certificates) {
        check(is_one_line(details.subject) && is_one_line(details.issuer),
              "a name that a terminal acts on");
        check(details.sha256.size() == 64, "a certificate without its digest");
    }
}

void check_pair(const std::string& chain, const std::string& key) {
    const tls::Expectation expectation{{"webhook.default.svc"}, kNow};
    const auto inspection = tls::inspect({chain, key}, expectation);
    check_inspection(inspection);
    const auto& findings = inspection.findings;
    const bool good = std::ranges::none_of(findings, [](const tls::Finding& finding) {
        return finding.severity == tls::Severity::Refused && !is_time(finding);
    });
    const auto identity = tls::make_identity(chain, key, expectation);
    check(identity.has_value() == good, "a pair is taken that is refused, or refused and good");
    check(identity || is_one_line(identity.error().message), "an error that is more than a line");
    check_inspection(tls::inspect_authority({chain, key}, kNow));
}

void check_bundle(const std::string& pem) {
    check_inspection(tls::inspect_trust(pem, kNow));
    const auto bundle = cert_rotation::Bundle::parse(pem);
    const auto again = cert_rotation::Bundle::parse(bundle.pem());
    check(again.pem() == bundle.pem() && !again.has_other_pem(), "a bundle is read as another");
    const cert_rotation::Target target{bundle, {}};
    check(target.is_met_by(again), "a bundle that does not say what it says");
    const auto content = tls::count_pem(pem);
    check(bundle.certificates().size() <= content.certificates, "more certificates than there are");
    for (const auto& certificate : bundle.certificates()) {
        const auto believed = tls::believes({certificate.pem, "", kNow}, pem);
        check(believed || is_one_line(believed.error().message), "an error that is no line");
    }
    const auto ca = tls::ClientCa::make(pem, kNow);
    check(ca || is_one_line(ca.error().message), "an error that is more than a line");
}

}  // namespace

void certificates(std::string_view bytes) {
    const std::string chain{take_until(bytes, '\0')};
    check_pair(chain, bytes.empty() ? chain : std::string{bytes});
    check_bundle(chain);
}

}  // namespace smw::fuzz
