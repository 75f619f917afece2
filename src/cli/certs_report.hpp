#pragma once
// What `certs inspect` says about one place that has certificates, in each of its shapes. Pure.

#include "cli/verdict.hpp"
#include "smw/tls/inspect.hpp"

#include <optional>
#include <string>
#include <vector>

namespace smw::cli {

/// What was found in one place: PEM, by what it is for.
struct FoundCertificates {
    std::string place;   ///< "folder certs", "Secret apps/webhook", "listener 10.0.0.1:9443"
    std::string note{};  ///< what else was seen there: "TLSv1.3, http/1.1"
    std::optional<std::string> chain{};
    std::optional<std::string> key{};
    std::optional<std::string> ca{};
    std::optional<std::string> ca_key{};
    std::optional<std::string> next_ca{};  ///< of self-managed certificates: waits for its turn
    std::optional<std::string> next_ca_key{};
    std::string chain_name = "tls.crt";  ///< what they are called there
    std::string key_name = "tls.key";
    std::string ca_name = "ca.crt";
    bool shows_key = true;               ///< false: that there is no key is no fault
    bool is_there = true;                ///< false: `faults` say why there is nothing to judge
    std::vector<tls::Finding> faults{};  ///< what could not be read

    bool is_bundle = false;   ///< CAs without keys, and nothing else is to be expected
    bool must_serve = false;  ///< a server looks there

    /// Whether a serving certificate should be there: not where a CA lives with its key.
    [[nodiscard]] bool serves() const {
        return must_serve || chain || key || !(ca_key || next_ca_key || is_bundle);
    }
};

/// Whom a caller trusts, and what it asks for.
struct TrustAnchor {
    std::string by;    ///< "ca.crt", "caBundle of webhook a.b.c in MutatingWebhookConfiguration x"
    std::string name;  ///< the SAN; empty: any
    std::string ca_pem;  ///< empty: the system's
};

struct TrustVerdict {
    std::string by;
    std::string name;
    std::string why_not;  ///< empty: it trusts
    friend bool operator==(const TrustVerdict&, const TrustVerdict&) = default;
};

struct CertificateGroup {
    std::string title;  ///< "Certificate", "CA"
    std::string file;
    std::vector<tls::CertificateDetails> certificates;
};

struct CertificateReport {
    std::string place;
    std::string note;
    std::vector<tls::Finding> findings;
    std::vector<TrustVerdict> trust;
    std::vector<CertificateGroup> groups;
    bool shows_leaf = false;  ///< there is a serving certificate among them
    std::string asked_name;   ///< what callers were taken to ask for; empty: not known
    WallTime now;

    /// Something is refused or not trusted.
    [[nodiscard]] bool is_bad() const;
};

[[nodiscard]] CertificateReport judge(const FoundCertificates& found,
                                      const tls::Expectation& expectation,
                                      const std::vector<TrustAnchor>& anchors);

/// For people: paragraphs, ending in a newline.
[[nodiscard]] std::string to_text(const CertificateReport& report, const Paint& paint);
/// For programs: one object.
[[nodiscard]] json::Text to_json(const CertificateReport& report);

/// "6 days 23 hours", "1 hour 5 minutes", "40 seconds": the two largest units.
[[nodiscard]] std::string span_in_words(std::chrono::seconds span);

}  // namespace smw::cli
