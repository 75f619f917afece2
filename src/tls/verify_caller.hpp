#pragma once

#include <openssl/types.h>

namespace smw::tls {

/// For SSL_CTX_set_cert_verify_callback: verifies the chain and notes what is wrong with it
/// (SSL_get_verify_result), but never ends the handshake.
int verify_caller(X509_STORE_CTX* verification, void*);

}  // namespace smw::tls
