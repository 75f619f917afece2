// Whether a client believes a chain: OpenSSL's path building with the judgement of Go's
// crypto/x509, which is what API servers use.

#include "tls/inspect_details.hpp"
#include "tls/inspect_pem.hpp"
#include "tls/inspect_rules.hpp"
#include "tls/verify.hpp"

#include <fmt/format.h>

namespace smw::tls {
namespace {

using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
/// Borrows its members.
using Untrusted = std::unique_ptr<STACK_OF(X509), FreeStack>;

void configure(X509_STORE_CTX* verification, WallTime now) {
    X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(verification);
    // What is in the bundle is trusted, also an intermediate without its root, or the leaf itself.
    X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
    // Small keys are no reason for crypto/x509; SHA-1 is, and is looked at below.
    X509_VERIFY_PARAM_set_auth_level(how, 0);
    X509_VERIFY_PARAM_set_time(how, std::chrono::system_clock::to_time_t(now));
}

std::string issuer_is_unknown(X509* certificate) {
    const auto details = details_of(certificate);
    return details.subject == details.issuer
               ? fmt::format("{} signed itself and is not in it", details.subject)
               : fmt::format("the issuer of {}, {}, is not in it", details.subject, details.issuer);
}

/// What stopped the verification, about the certificate at which it stopped.
std::string explain(X509_STORE_CTX* verification, WallTime now) {
    const int error = X509_STORE_CTX_get_error(verification);
    X509* at = X509_STORE_CTX_get_current_cert(verification);
    if (at == nullptr) {
        return X509_verify_cert_error_string(error);
    }
    const auto subject = subject_of(at);
    switch (error) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return issuer_is_unknown(at);
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return fmt::format("{} was signed by another CA of the same name, {}", subject,
                               details_of(at).issuer);
        case X509_V_ERR_INVALID_CA:
        case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
            return fmt::format("{} {}", subject,
                               why_no_ca(at).value_or("may not sign certificates"));
        case X509_V_ERR_INVALID_PURPOSE:
            return fmt::format("{} is not for servers", subject);
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            if (const auto finding = judge_time(details_of(at), subject, now)) {
                return finding->text;
            }
            break;
        default:  // OpenSSL's, of which there are ninety
            break;
    }
    return fmt::format("{}: {}", subject, X509_verify_cert_error_string(error));
}

/// What crypto/x509 refuses and OpenSSL does not.
Expected<void> judge_as_go(STACK_OF(X509) * path) {
    for (int depth = 0; depth < sk_X509_num(path); ++depth) {
        X509* certificate = sk_X509_value(path, depth);
        const int digest = signature_digest(certificate);
        const bool is_anchor = depth + 1 == sk_X509_num(path);
        if (!is_anchor && (digest == NID_sha1 || digest == NID_md5)) {
            return fail(Code::BadRequest,
                        fmt::format("{} is signed with SHA-1 or MD5", subject_of(certificate)));
        }
    }
    return {};
}

}  // namespace

Expected<void> believes(const TrustQuestion& question, const std::string& chain_pem) {
    const auto trusted = parse_chain(question.ca_pem, "the CA bundle");
    const auto chain = parse_chain(chain_pem, "the chain");
    // crypto/x509 passes over what it cannot read in a bundle, as long as there is something.
    if (trusted.certificates.empty()) {
        return fail(Code::BadRequest, trusted.findings.front().text);
    }
    if (chain.certificates.empty()) {
        return fail(Code::BadRequest, chain.findings.front().text);
    }
    const Store store{X509_STORE_new()};
    for (const auto& ca : trusted.certificates) {
        X509_STORE_add_cert(store.get(), ca.get());
    }
    const Untrusted untrusted{sk_X509_new_null()};
    for (const auto& certificate : chain.certificates) {
        sk_X509_push(untrusted.get(), certificate.get());
    }
    X509* leaf = chain.certificates.front().get();
    const Verification verification{X509_STORE_CTX_new()};
    X509_STORE_CTX_init(verification.get(), store.get(), leaf, untrusted.get());
    configure(verification.get(), question.now);
    const bool verified = verify_path(verification.get(), NID_server_auth);
    ERR_clear_error();
    if (!verified) {
        return fail(Code::BadRequest, explain(verification.get(), question.now));
    }
    auto judged = judge_as_go(X509_STORE_CTX_get0_chain(verification.get()));
    if (judged && !question.name.empty() && !is_good_for(leaf, question.name)) {
        judged = fail(Code::BadRequest,
                      fmt::format("{} has no SAN {}", subject_of(leaf), question.name));
    }
    ERR_clear_error();
    return judged;
}

}  // namespace smw::tls
