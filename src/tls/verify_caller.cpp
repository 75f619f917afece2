#include "tls/verify_caller.hpp"

#include "tls/inspect_details.hpp"
#include "tls/openssl.hpp"
#include "tls/verify.hpp"

namespace smw::tls {

namespace {

/// What a client must do with its key in a handshake (RFC 5246 section 7.4.6, RFC 8446 section
/// 4.4.2.4). crypto/x509 does not look; a stranger's key for encryption shows no caller.
bool may_shake_hands(X509* certificate) {
    return has_key_usage(certificate, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT);
}

}  // namespace

int verify_caller(X509_STORE_CTX* verification, void*) {
    if (verify_path(verification, NID_client_auth) &&
        !may_shake_hands(X509_STORE_CTX_get0_cert(verification))) {
        X509_STORE_CTX_set_error(verification, X509_V_ERR_INVALID_PURPOSE);
    }
    // What is left in the queue would be taken for a failure of the handshake.
    ERR_clear_error();
    return 1;
}

}  // namespace smw::tls
