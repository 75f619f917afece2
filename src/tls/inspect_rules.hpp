#pragma once
// The rules, one function a subject. Each appends what it finds.

#include "smw/tls/inspect.hpp"
#include "tls/openssl.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace smw::tls {

using Findings = std::vector<Finding>;
using Chain = std::vector<Certificate>;

/// The index of the certificate that is `key`'s, else the first. `key` may be null.
[[nodiscard]] std::size_t find_leaf(const Chain& chain, EVP_PKEY* key);

/// Whether `key` is that of the leaf, and intact. The chain was read whole.
void judge_key(Findings& findings, const Chain& chain, EVP_PKEY* key);
/// Whether each certificate is signed by the next, and is needed. Knows no key: a leaf that is not
/// the first is found by what it is.
void judge_order(Findings& findings, const Chain& chain, std::size_t leaf);
/// Those that signed the leaf: CA bit, dates, digest.
void judge_issuers(Findings& findings, const Chain& chain, std::size_t leaf, WallTime now);
/// The server's own.
void judge_leaf(Findings& findings, X509* leaf, const Expectation& expectation);
/// One that is to be trusted, called `what`. `severity` is that of a missing CA bit.
void judge_ca(Findings& findings, X509* ca, std::string_view what, Severity severity);
/// Looked at now, and how much time left is too little.
struct Moment {
    WallTime now;
    std::chrono::seconds soon = kExpiresSoon;
};
/// What is wrong with its dates (refused), or soon will be (suspicious).
[[nodiscard]] std::optional<Finding> judge_dates(const CertificateDetails& certificate,
                                                 std::string_view what, Moment moment);
/// What it signs verifies with the certificate.
[[nodiscard]] bool signs_for(X509* certificate, EVP_PKEY* key);

}  // namespace smw::tls
