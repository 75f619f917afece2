#include "tls/verify.hpp"

#include "tls/inspect_details.hpp"
#include "tls/openssl.hpp"

#include <openssl/x509_vfy.h>

namespace smw::tls {
namespace {

using Verification = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

void free_all(STACK_OF(X509) * certificates) {
    sk_X509_pop_free(certificates, X509_free);
}
using Certificates = std::unique_ptr<STACK_OF(X509), Deleter<free_all>>;

/// The same verification with one certificate alone to be trusted; null when it fails.
Certificates path_to(X509_STORE_CTX* verification, X509* anchor) {
    const Certificates anchors{sk_X509_new_null()};
    const Verification again{X509_STORE_CTX_new()};
    if (!anchors || X509_add_cert(anchors.get(), anchor, X509_ADD_FLAG_UP_REF) != 1 || !again ||
        X509_STORE_CTX_init(again.get(), nullptr, X509_STORE_CTX_get0_cert(verification),
                            X509_STORE_CTX_get0_untrusted(verification)) != 1) {
        return nullptr;
    }
    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(again.get()),
                           X509_STORE_CTX_get0_param(verification));
    X509_STORE_CTX_set0_trusted_stack(again.get(), anchors.get());
    return Certificates{X509_verify_cert(again.get()) == 1 ? X509_STORE_CTX_get1_chain(again.get())
                                                           : nullptr};
}

/// OpenSSL takes one CA of the issuer's name and stays with it. Where two have the name – a CA and
/// the next, without key identifiers – the other may be the right one.
Certificates path_to_namesake(X509_STORE_CTX* verification) {
    X509* failed = X509_STORE_CTX_get_current_cert(verification);
    const Certificates all{X509_STORE_get1_all_certs(X509_STORE_CTX_get0_store(verification))};
    for (int index = 0; failed != nullptr && all && index < sk_X509_num(all.get()); ++index) {
        X509* anchor = sk_X509_value(all.get(), index);
        if (X509_NAME_cmp(X509_get_subject_name(anchor), X509_get_issuer_name(failed)) != 0) {
            continue;
        }
        if (auto path = path_to(verification, anchor)) {
            return path;
        }
    }
    return nullptr;
}

bool find_path(X509_STORE_CTX* verification) {
    if (X509_verify_cert(verification) == 1) {
        return true;
    }
    if (X509_STORE_CTX_get_error(verification) != X509_V_ERR_CERT_SIGNATURE_FAILURE) {
        return false;
    }
    auto path = path_to_namesake(verification);
    if (!path) {
        return false;
    }
    X509_STORE_CTX_set0_verified_chain(verification, path.release());
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return true;
}

}  // namespace

bool verify_path(X509_STORE_CTX* verification, int usage) {
    // OpenSSL's own purposes do not know anyExtendedKeyUsage.
    X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(verification), X509_PURPOSE_ANY);
    if (!find_path(verification)) {
        return false;
    }
    const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(verification);
    for (int depth = 0; depth < sk_X509_num(path); ++depth) {
        X509* certificate = sk_X509_value(path, depth);
        const bool may_sign = depth == 0 || !why_no_ca(certificate);
        if (!may_sign || !is_for(certificate, usage)) {
            X509_STORE_CTX_set_error(verification,
                                     may_sign ? X509_V_ERR_INVALID_PURPOSE : X509_V_ERR_INVALID_CA);
            X509_STORE_CTX_set_error_depth(verification, depth);
            X509_STORE_CTX_set_current_cert(verification, certificate);
            return false;
        }
    }
    return true;
}

}  // namespace smw::tls
