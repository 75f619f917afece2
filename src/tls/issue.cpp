// Issuing certificates: a CA for one process, and the leaf that it signs.

#include "smw/tls/identity.hpp"
#include "tls/openssl.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

#include <arpa/inet.h>

namespace smw::tls {

namespace {

constexpr std::chrono::hours kBackdated{1};  // for callers whose clock is behind
constexpr std::chrono::hours kLifetime{24 * 365};

struct Subject {
    std::string common_name;
    WallTime now;
    EVP_PKEY* key = nullptr;
};

void set_validity(X509* certificate, WallTime now) {
    ASN1_TIME_set(X509_getm_notBefore(certificate),
                  std::chrono::system_clock::to_time_t(now - kBackdated));
    ASN1_TIME_set(X509_getm_notAfter(certificate),
                  std::chrono::system_clock::to_time_t(now + kLifetime));
}

/// 128 random bits: two CAs with the same name and serial confuse verifiers.
void set_random_serial(X509* certificate) {
    const std::unique_ptr<BIGNUM, Deleter<BN_free>> number{BN_new()};
    BN_rand(number.get(), 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

Certificate make_certificate(const Subject& subject) {
    Certificate certificate{X509_new()};
    X509_set_version(certificate.get(), X509_VERSION_3);
    set_random_serial(certificate.get());
    set_validity(certificate.get(), subject.now);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(subject.common_name.c_str()),
                               -1, -1, 0);
    X509_set_pubkey(certificate.get(), subject.key);
    return certificate;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string san_text(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) {
        std::array<unsigned char, 16> address{};
        const bool is_ip = ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
                           ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
        text += fmt::format("{}{}:{}", text.empty() ? "" : ",", is_ip ? "IP" : "DNS", name);
    }
    return text;
}

std::string to_pem(X509* certificate) {
    const Bio bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(bio.get(), certificate);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string to_pem(EVP_PKEY* key) {
    const Bio bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

tl::unexpected<Error> issuing_failed() {
    return fail(Code::Internal, fmt::format("issuing a certificate: {}", take_openssl_error()));
}

Expected<Certificate> issue_ca(EVP_PKEY* key, WallTime now) {
    Certificate ca = make_certificate({"stateful-migration-webhook ephemeral CA", now, key});
    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
    const bool extended =
        add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign") &&
        add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    if (!extended || X509_sign(ca.get(), key, EVP_sha256()) == 0) {
        return issuing_failed();
    }
    return ca;
}

}  // namespace

Expected<Ephemeral> make_ephemeral(const Expectation& expectation) {
    if (expectation.names.empty()) {
        return fail(Code::BadRequest, "issuing a certificate: it needs at least one name");
    }
    const Key ca_key{EVP_EC_gen("P-256")};
    const Key key{EVP_EC_gen("P-256")};
    if (!ca_key || !key) {
        return issuing_failed();
    }
    const auto ca = issue_ca(ca_key.get(), expectation.now);
    if (!ca) {
        return tl::unexpected(ca.error());
    }
    const Certificate leaf =
        make_certificate({"stateful-migration-webhook", expectation.now, key.get()});
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca->get()));
    const bool extended =
        add_extension(leaf.get(), ca->get(), NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(leaf.get(), ca->get(), NID_key_usage, "critical,digitalSignature") &&
        add_extension(leaf.get(), ca->get(), NID_ext_key_usage, "serverAuth") &&
        add_extension(leaf.get(), ca->get(), NID_authority_key_identifier, "keyid") &&
        add_extension(leaf.get(), ca->get(), NID_subject_alt_name, san_text(expectation.names));
    if (!extended || X509_sign(leaf.get(), ca_key.get(), EVP_sha256()) == 0) {
        return issuing_failed();
    }
    auto identity = make_identity(to_pem(leaf.get()), to_pem(key.get()), expectation);
    if (!identity) {
        return annotate(identity.error(), "checking the certificate just issued");
    }
    Ephemeral ephemeral;
    ephemeral.identity = std::move(*identity);
    ephemeral.ca_pem = to_pem(ca->get());
    return ephemeral;
}

}  // namespace smw::tls
