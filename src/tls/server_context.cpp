#include "smw/tls/server_context.hpp"

#include "smw/tls/record_flood.hpp"
#include "tls/openssl.hpp"
#include "tls/verify_caller.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <optional>

namespace smw::tls {

namespace {

/// The wire form of the one protocol that we speak: length, name (RFC 7301).
constexpr std::string_view kAlpn = "\x08http/1.1";

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
    unsigned char* selected = nullptr;
    const int result = SSL_select_next_proto(&selected, out_size,
                                             reinterpret_cast<const unsigned char*>(kAlpn.data()),
                                             static_cast<unsigned int>(kAlpn.size()), in, in_size);
    *out = selected;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// OpenSSL's name of a suite in IANA's spelling; Go also knows two without their _SHA256.
std::optional<std::string> openssl_name(const std::string& suite) {
    const std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>> context{SSL_CTX_new(TLS_method())};
    // Without those that do not authenticate (aNULL); ALL is without those that do not encrypt.
    SSL_CTX_set_cipher_list(context.get(), "ALL:!aNULL");
    const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context.get());
    for (int index = 0; index < sk_SSL_CIPHER_num(ciphers); ++index) {
        const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, index);
        const std::string_view name = SSL_CIPHER_standard_name(cipher);
        if (name == suite || name == suite + "_SHA256") {
            return SSL_CIPHER_get_name(cipher);
        }
    }
    return std::nullopt;
}

Expected<void> use_cipher_suites(SSL_CTX* context, const std::vector<std::string>& suites) {
    std::string tls12;
    std::string tls13;
    for (const auto& suite : suites) {
        const auto name = openssl_name(suite);
        if (!name) {
            return fail(Code::BadRequest,
                        fmt::format("OpenSSL has no cipher suite \"{}\"; use names such as "
                                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                    suite));
        }
        // TLS 1.3 suites have the same name in both spellings and a list of their own.
        std::string& list = *name == suite ? tls13 : tls12;
        list += (list.empty() ? "" : ":") + *name;
    }
    const bool set12 = tls12.empty() || SSL_CTX_set_cipher_list(context, tls12.c_str()) == 1;
    const bool set13 = tls13.empty() || SSL_CTX_set_ciphersuites(context, tls13.c_str()) == 1;
    if (!set12 || !set13) {
        return fail(Code::BadRequest,
                    fmt::format("choosing cipher suites: {}", take_openssl_error()));
    }
    return {};
}

using SecurityCallback = int (*)(const SSL*, const SSL_CTX*, int, int, int, void*, void*);

/// OpenSSL's own judgement but for our own chain: a small key or SHA-1 in it was warned of, and
/// whether to accept it is the caller's decision. The default is kept as the extra data.
int judge_security(const SSL* ssl, const SSL_CTX* context, int operation, int bits, int nid,
                   void* other, void* by_default) {
    switch (operation) {
        case SSL_SECOP_EE_KEY:
        case SSL_SECOP_CA_KEY:
        case SSL_SECOP_CA_MD:
            return 1;
        default:
            return reinterpret_cast<SecurityCallback>(by_default)(ssl, context, operation, bits,
                                                                  nid, other, nullptr);
    }
}

void tolerate_weak_chain(SSL_CTX* context) {
    const SecurityCallback by_default = SSL_CTX_get_security_callback(context);
    SSL_CTX_set0_security_ex_data(context, reinterpret_cast<void*>(by_default));
    SSL_CTX_set_security_callback(context, judge_security);
}

Expected<void> use_identity(SSL_CTX* context, const Identity& identity) {
    const Bio chain = read_only(identity.chain_pem);
    const Certificate leaf{PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr)};
    bool ok = leaf && SSL_CTX_use_certificate(context, leaf.get()) == 1;
    while (ok) {
        const Certificate next{PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr)};
        if (!next) {
            ERR_clear_error();  // the end of the text
            break;
        }
        ok = SSL_CTX_add1_chain_cert(context, next.get()) == 1;
    }
    const Bio key_bio = read_only(identity.key_pem);
    const Key key{ok ? PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr)
                     : nullptr};
    if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        return fail(Code::BadRequest,
                    fmt::format("OpenSSL refuses the certificate: {}", take_openssl_error()));
    }
    return {};
}

}  // namespace

Expected<ProtocolVersion> parse_protocol_version(std::string_view text) {
    if (text == "VersionTLS12" || text == "1.2") {
        return ProtocolVersion::Tls12;
    }
    if (text == "VersionTLS13" || text == "1.3") {
        return ProtocolVersion::Tls13;
    }
    return fail(Code::BadRequest, "must be VersionTLS12 or VersionTLS13");
}

Expected<void> check_cipher_suites(const std::vector<std::string>& suites) {
    const std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>> context{SSL_CTX_new(TLS_method())};
    return use_cipher_suites(context.get(), suites);
}

Expected<std::shared_ptr<const ServerContext>> ServerContext::make(Identity identity,
                                                                   const ServerSettings& settings) {
    ERR_clear_error();
    std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    if (!context) {
        return fail(Code::Internal, fmt::format("making a TLS context: {}", take_openssl_error()));
    }
    SSL_CTX_set_min_proto_version(context.get(), settings.min_version == ProtocolVersion::Tls13
                                                     ? TLS1_3_VERSION
                                                     : TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), verify_caller, nullptr);
    limit_handshake_records(context.get());
    if (auto used = use_cipher_suites(context.get(), settings.cipher_suites); !used) {
        return tl::unexpected(used.error());
    }
    tolerate_weak_chain(context.get());
    if (auto used = use_identity(context.get(), identity); !used) {
        return tl::unexpected(used.error());
    }
    forget(identity.key_pem);
    return std::shared_ptr<const ServerContext>{
        new ServerContext{std::move(identity), std::move(context)}};
}

}  // namespace smw::tls
