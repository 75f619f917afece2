#include "smw/tls/callers.hpp"

#include "tls/inspect_details.hpp"
#include "tls/openssl.hpp"
#include "tls/pem.hpp"

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>

namespace smw::tls {

namespace {

constexpr std::array kResults{CallerResult::Allowed, CallerResult::NotAllowed,
                              CallerResult::Unverified, CallerResult::NoCertificate,
                              CallerResult::NoClientCa};

/// About callers that are not allowed.
constexpr std::chrono::seconds kBetweenLines{1};

/// The one that Go and so Kubernetes read: the last.
std::string common_name(const X509_NAME* name) {
    int last = -1;
    for (int next = X509_NAME_get_index_by_NID(name, NID_commonName, -1); next >= 0;
         next = X509_NAME_get_index_by_NID(name, NID_commonName, next)) {
        last = next;
    }
    if (last < 0) {
        return "";
    }
    unsigned char* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
    if (size < 0) {
        ERR_clear_error();
        return "";
    }
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner{utf8,
                                                                         [](unsigned char* text) {
                                                                             OPENSSL_free(text);
                                                                         }};
    return {reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)};
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names{common_name(X509_get_subject_name(certificate))};
    const Names alternatives = alternative_names(certificate);
    for (int index = 0; alternatives && index < sk_GENERAL_NAME_num(alternatives.get()); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), index);
        if (name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL) {
            names.push_back(bytes_of(name->d.ia5));
        } else if (name->type == GEN_IPADD) {
            names.push_back(text_of(name->d.iPAddress));
        }
    }
    std::erase(names, "");
    return names;
}

/// What is not for clients: OpenSSL tells no more than that something of the path is not.
std::string describe_purpose(const STACK_OF(X509) * path) {
    for (int index = 0; index < sk_X509_num(path); ++index) {
        if (!is_for(sk_X509_value(path, index), NID_client_auth)) {
            return fmt::format(
                "{} is not for clients: clientAuth is not among its extended key usages",
                index == 0 ? "it" : "a CA certificate above it");
        }
    }
    return "its key may not be used in handshakes: its keyUsage has neither digitalSignature nor "
           "keyAgreement";
}

std::string describe_signature(X509* certificate, const STACK_OF(X509) * path) {
    const bool is_above =
        sk_X509_num(path) > 1 && is_signed_by(certificate, sk_X509_value(path, 1));
    return fmt::format("{} names the client CA as its issuer, but another key has signed it",
                       is_above ? "a CA certificate above it" : "it");
}

/// A clause about the caller's certificate, "it".
std::string describe(long problem, X509* certificate, const STACK_OF(X509) * path) {
    const WallTime now = std::chrono::system_clock::now();
    const WallTime not_before = wall_time(X509_get0_notBefore(certificate));
    const WallTime not_after = wall_time(X509_get0_notAfter(certificate));
    switch (problem) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return "no certificate of the client CA has signed it";
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return describe_signature(certificate, path);
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return now >= not_after ? fmt::format("it expired at {}", utc_text(not_after))
                                    : "a CA certificate above it has expired";
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return now < not_before ? fmt::format("it is not valid before {}", utc_text(not_before))
                                    : "a CA certificate above it is not valid yet";
        case X509_V_ERR_INVALID_PURPOSE:
            return describe_purpose(path);
        case X509_V_ERR_INVALID_CA:
            return "a certificate above it is no CA";
        default:
            return X509_verify_cert_error_string(problem);
    }
}

/// Whether ask() has asked in the name of this CA; null: it has asked for nothing.
bool is_judged_by(ssl_st* session, const ClientCa* ca) {
    if (ca == nullptr || ::SSL_get_verify_mode(session) == SSL_VERIFY_NONE) {
        return ca == nullptr && ::SSL_get_verify_mode(session) == SSL_VERIFY_NONE;
    }
    x509_store_st* store = nullptr;  // that of the session, which keeps it alive
    SSL_get0_verify_cert_store(session, &store);
    return store == ca->native();
}

/// When the first certificate of a verified chain expires.
WallTime end_of_chain(ssl_st* session) {
    WallTime end = wall_time(X509_get0_notAfter(::SSL_get0_peer_certificate(session)));
    const STACK_OF(X509)* chain = ::SSL_get0_verified_chain(session);
    for (int index = 0; index < sk_X509_num(chain); ++index) {
        end = std::min(end, wall_time(X509_get0_notAfter(sk_X509_value(chain, index))));
    }
    return end;
}

}  // namespace

Caller read_caller(ssl_st* session) {
    Caller caller;
    if (::SSL_get_verify_mode(session) == SSL_VERIFY_NONE) {
        return caller;
    }
    X509* certificate = ::SSL_get0_peer_certificate(session);
    if (certificate == nullptr) {
        caller.certificate = Caller::Certificate::None;
        return caller;
    }
    const long problem = ::SSL_get_verify_result(session);
    caller.certificate =
        problem == X509_V_OK ? Caller::Certificate::Verified : Caller::Certificate::Unverified;
    caller.problem = problem == X509_V_OK
                         ? ""
                         : describe(problem, certificate, ::SSL_get0_verified_chain(session));
    caller.subject = text_of(X509_get_subject_name(certificate));
    caller.issuer = text_of(X509_get_issuer_name(certificate));
    caller.names = names_of(certificate);
    return caller;
}

Callers::Callers(CallerPolicy policy, const async::Snapshot<ClientCa>& cas, log::Logger logger,
                 metrics::Registry& metrics)
    : policy_(std::move(policy)), cas_(cas), logger_(std::move(logger)) {
    const auto family = metrics.counter(
        {"smw_callers_total",
         "Connections to the webhook, by what --client-auth finds out about the caller.",
         {"result"}});
    for (const auto result : kResults) {
        results_.push_back(family.with({to_string(result)}));
    }
}

void Callers::ask(ssl_st* session) const {
    if (const auto ca = cas_.load()) {
        // No list of CAs goes with the question: a caller shows what it has, and hears what is
        // wrong with it.
        ::SSL_set_verify(session, SSL_VERIFY_PEER, nullptr);
        ::SSL_set1_verify_cert_store(session, ca->native());
    }
}

CallerStanding Callers::hear(ssl_st* session, TimePoint now) const {
    const Caller caller = read_caller(session);
    CallerVerdict verdict = judge(caller, policy_);
    results_[static_cast<std::size_t>(verdict.result)].increment();
    log(caller, verdict, now);
    CallerStanding standing;
    if (verdict.refused) {
        standing.refused = std::move(verdict.why);
    }
    // The version first: when another CA comes between the two, it is only found outdated too soon.
    const auto version = cas_.version();
    if (is_judged_by(session, cas_.load().get())) {
        standing.ca_version = version;
    }
    if (caller.certificate == Caller::Certificate::Verified) {
        standing.until = end_of_chain(session);
    }
    return standing;
}

bool Callers::stands(const CallerStanding& standing, WallTime now) const {
    return standing.refused.empty() && standing.ca_version == cas_.version() &&
           now < standing.until;
}

void Callers::log(const Caller& caller, const CallerVerdict& verdict, TimePoint now) const {
    if (verdict.result == CallerResult::Allowed) {
        logger_.info("Caller verified", {{"subject", caller.subject}, {"issuer", caller.issuer}});
        return;
    }
    const bool showed = caller.certificate == Caller::Certificate::Unverified ||
                        caller.certificate == Caller::Certificate::Verified;
    const std::string_view what = verdict.refused ? "Caller refused" : "Caller not verified";
    if (!showed && !verdict.refused) {
        // While a cluster is not set up yet these are most of the traffic; they are counted.
        logger_.debug(what, {{"why", verdict.why}});
        return;
    }
    const auto left_out = take_line(now);
    if (!left_out) {
        return;
    }
    if (showed) {
        logger_.info(what, {{"why", verdict.why},
                            {"subject", caller.subject},
                            {"issuer", caller.issuer},
                            {"left_out", *left_out}});
    } else {
        logger_.info(what, {{"why", verdict.why}, {"left_out", *left_out}});
    }
}

/// How many lines were left out since the last one; nothing: this one is, too.
std::optional<std::int64_t> Callers::take_line(TimePoint now) const {
    TimePoint next = next_line_.load(std::memory_order_relaxed);
    if (now < next ||
        !next_line_.compare_exchange_strong(next, now + kBetweenLines, std::memory_order_relaxed)) {
        left_out_.fetch_add(1, std::memory_order_relaxed);
        return std::nullopt;
    }
    return left_out_.exchange(0, std::memory_order_relaxed);
}

}  // namespace smw::tls
