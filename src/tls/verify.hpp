#pragma once
// Path building by OpenSSL with the judgement of Go's crypto/x509, for callers' certificates and
// for believes().

#include <openssl/types.h>

namespace smw::tls {

/// X509_verify_cert() for `usage` (NID_server_auth, NID_client_auth), which every certificate of
/// the path must allow as is_for() says; who signed must be a CA as why_no_ca() says. Of several
/// trusted CAs with the issuer's name each is tried. `verification` holds the path, or what is
/// wrong, and with which certificate.
[[nodiscard]] bool verify_path(X509_STORE_CTX* verification, int usage);

}  // namespace smw::tls
