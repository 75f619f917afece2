#include "support/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace smw::test {

namespace {

void require(bool condition, const char* what) {
    if (!condition) {
        throw std::runtime_error{what};
    }
}

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

std::string content(const BioPtr& bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

BioPtr memory() {
    return {BIO_new(BIO_s_mem()), BIO_free_all};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    if (value.empty()) {
        return;
    }
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "extension");
    X509_EXTENSION_free(extension);
}

void set_time(ASN1_TIME* target, WallTime time) {
    ASN1_TIME_set(target, std::chrono::system_clock::to_time_t(time));
}

}  // namespace

KeyPtr make_key(KeyKind kind) {
    EVP_PKEY* key = nullptr;
    switch (kind) {
        case KeyKind::P256:
            key = EVP_EC_gen("P-256");
            break;
        case KeyKind::Rsa1024:
            key = EVP_RSA_gen(1024U);
            break;
        case KeyKind::Rsa2048:
            key = EVP_RSA_gen(2048U);
            break;
    }
    require(key != nullptr, "making a key");
    return {key, EVP_PKEY_free};
}

std::string to_pem(const KeyPtr& key) {
    const BioPtr bio = memory();
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return content(bio);
}

std::string to_encrypted_pem(const KeyPtr& key, const std::string& passphrase) {
    const BioPtr bio = memory();
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), passphrase.c_str(),
                                  static_cast<int>(passphrase.size()), nullptr, nullptr);
    return content(bio);
}

std::string to_pem(const CertificatePtr& certificate) {
    const BioPtr bio = memory();
    PEM_write_bio_X509(bio.get(), certificate.get());
    return content(bio);
}

CertificatePtr issue(const CertificateSpec& spec, const KeyPtr& key, const Issuer* issuer) {
    static long serial = 1;
    const CertificatePtr certificate{X509_new(), X509_free};
    X509* raw = certificate.get();
    X509_set_version(raw, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
    set_time(X509_getm_notBefore(raw), spec.not_before);
    set_time(X509_getm_notAfter(raw), spec.not_after);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(spec.common_name.c_str()), -1,
                               -1, 0);
    X509_set_pubkey(raw, key.get());
    X509* signer = issuer != nullptr ? issuer->certificate.get() : raw;
    X509_set_issuer_name(raw, X509_get_subject_name(signer));
    add_extension(raw, signer, NID_basic_constraints,
                  spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(raw, signer, NID_subject_alt_name, spec.san);
    add_extension(raw, signer, NID_ext_key_usage, spec.extended_key_usage);
    EVP_PKEY* signing = issuer != nullptr ? issuer->key.get() : key.get();
    require(X509_sign(raw, signing, spec.sha1 ? EVP_sha1() : EVP_sha256()) > 0, "signing");
    return certificate;
}

Pair make_pair(const CertificateSpec& spec, KeyKind kind) {
    const KeyPtr key = make_key(kind);
    return {to_pem(issue(spec, key)), to_pem(key)};
}

}  // namespace smw::test
