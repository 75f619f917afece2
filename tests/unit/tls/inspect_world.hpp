#pragma once
// Certificates, and what is to be found in them, for the tests of the rules.

#include "smw/tls/inspect.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace smw::tls {

inline void PrintTo(const Finding& finding, std::ostream* out) {
    *out << to_string(finding.severity) << " [" << to_string(finding.rule) << "] " << finding.text;
}

inline const WallTime kNow = std::chrono::system_clock::now();
inline const std::string kName = "svc.ns.svc";

inline test::KeyPtr named_key(const char* kind, const char* curve = nullptr) {
    return {curve == nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind)
                             : EVP_PKEY_Q_keygen(nullptr, nullptr, kind, curve),
            EVP_PKEY_free};
}

inline test::KeyPtr rsa_key(unsigned bits) {
    return {EVP_RSA_gen(bits), EVP_PKEY_free};
}

inline test::CertificateSpec good_spec() {
    test::CertificateSpec spec;
    spec.san = "DNS:" + kName;
    return spec;
}

inline test::Issuer make_ca(const std::string& name, const test::Issuer* parent = nullptr,
                            test::CertificateSpec spec = {.is_ca = true}) {
    spec.common_name = name;
    spec.san = "";
    spec.extended_key_usage = "";
    const auto key = test::make_key();
    return {test::issue(spec, key, parent), key};
}

/// A root, an intermediate, a leaf of its own.
struct Family {
    test::Issuer root = make_ca("root");
    test::Issuer middle = make_ca("middle", &root);
    test::KeyPtr key = test::make_key();
    std::string leaf_pem = test::to_pem(test::issue(good_spec(), key, &middle));
    std::string middle_pem = test::to_pem(middle.certificate);
    std::string root_pem = test::to_pem(root.certificate);
    std::string key_pem = test::to_pem(key);
};

inline std::vector<Finding> findings_of(const std::string& chain, std::optional<std::string> key) {
    return inspect({chain, std::move(key)}, {{kName}, kNow}).findings;
}

inline std::vector<Finding> findings_of(const test::Pair& pair) {
    return findings_of(pair.chain_pem, pair.key_pem);
}

inline auto found(Severity severity, Rule rule, const std::string& text) {
    return testing::AllOf(testing::Field(&Finding::severity, severity),
                          testing::Field(&Finding::rule, rule),
                          testing::Field(&Finding::text, testing::HasSubstr(text)));
}
inline auto refused(Rule rule, const std::string& text) {
    return found(Severity::Refused, rule, text);
}
inline auto suspicious(Rule rule, const std::string& text) {
    return found(Severity::Suspicious, rule, text);
}

inline test::CertificateSpec with(const std::function<void(test::CertificateSpec&)>& change) {
    auto spec = good_spec();
    change(spec);
    return spec;
}

}  // namespace smw::tls
