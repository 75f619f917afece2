#pragma once
// Extensions that the certificates of other tests have not, or have.

#include "support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

namespace smw::test {

/// The certificate with a keyUsage, in OpenSSL's spelling ("keyAgreement"), signed again by
/// `signer`.
inline CertificatePtr with_key_usage(CertificatePtr certificate, const char* usage,
                                     const KeyPtr& signer) {
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_key_usage, usage);  // knows no issuer, needs none
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate.get(), signer.get(), EVP_sha256());
    return certificate;
}

inline CertificatePtr without_extension(CertificatePtr certificate, int nid, const KeyPtr& signer) {
    X509_EXTENSION_free(
        X509_delete_ext(certificate.get(), X509_get_ext_by_NID(certificate.get(), nid, -1)));
    X509_sign(certificate.get(), signer.get(), EVP_sha256());
    return certificate;
}

}  // namespace smw::test
