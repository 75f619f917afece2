#pragma once
// Path building, for callers' certificates and for believes().

#include <openssl/types.h>

namespace smw::tls {

/// X509_verify_cert(), but of several trusted CAs with the issuer's name each is tried. When it
/// succeeds the verified chain is the one that did.
[[nodiscard]] bool verify_path(X509_STORE_CTX* verification);

}  // namespace smw::tls
