#pragma once
// What stands in one certificate.

#include "smw/tls/inspect.hpp"
#include "tls/openssl.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace smw::tls {

[[nodiscard]] CertificateDetails details_of(X509* certificate);

/// As a caller would verify it: wildcards count, the common name does not.
[[nodiscard]] bool is_good_for(X509* leaf, const std::string& name);

/// basicConstraints has CA:TRUE.
[[nodiscard]] bool is_ca(X509* certificate);

/// Why nothing that it signed is believed, as Go's crypto/x509 says: a clause such as "is no CA
/// (its basicConstraints lack CA:TRUE)"; nothing when it may sign.
[[nodiscard]] std::optional<std::string> why_no_ca(X509* certificate);

/// Whether its extended key usages allow `usage` (NID_server_auth, NID_client_auth), as Go's
/// crypto/x509 says: also with anyExtendedKeyUsage, or none at all.
[[nodiscard]] bool is_for(X509* certificate, int usage);

/// Whether its keyUsage has one of `usages` (KU_DIGITAL_SIGNATURE); without a readable one, too.
[[nodiscard]] bool has_key_usage(X509* certificate, std::uint32_t usages);

/// The digest that its issuer signed: NID_sha256; NID_undef for those without one (Ed25519).
[[nodiscard]] int signature_digest(X509* certificate);

/// What to sign with: null for keys that hash by themselves (Ed25519, RFC 8032).
[[nodiscard]] const EVP_MD* digest_for(EVP_PKEY* key);

/// By name and by signature.
[[nodiscard]] bool is_signed_by(X509* certificate, X509* issuer);

/// RFC 4514, in UTF-8; cut when somebody put a novel there.
[[nodiscard]] std::string text_of(const X509_NAME* name);
/// Of the subject, as it is shown.
[[nodiscard]] std::string subject_of(X509* certificate);

/// "10.0.0.1", "fd00::1"; empty when it is none.
[[nodiscard]] std::string text_of(const ASN1_OCTET_STRING* address);
[[nodiscard]] std::string bytes_of(const ASN1_STRING* text);
/// Subject alternative names; null: there are none.
[[nodiscard]] Names alternative_names(X509* certificate);

}  // namespace smw::tls
