#include "smw/tls/client_context.hpp"

#include "tls/inspect_pem.hpp"
#include "tls/openssl.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <string_view>
#include <vector>

namespace smw::tls {

namespace {

/// The wire form of the one protocol that we speak: length, name (RFC 7301).
constexpr std::string_view kAlpn = "\x08http/1.1";

Expected<void> trust(SSL_CTX* context, const std::string& ca_pem) {
    if (ca_pem.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1) {
            return fail(Code::Unavailable,
                        fmt::format("the system's CAs cannot be used: {}", take_openssl_error()));
        }
        return {};
    }
    const auto certificates = read_certificates(ca_pem, "the CA");
    if (!certificates) {
        return tl::unexpected(certificates.error());
    }
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const auto& certificate : *certificates) {
        if (X509_STORE_add_cert(store, certificate.get()) != 1) {
            return fail(Code::BadRequest,
                        fmt::format("the CA cannot be used: {}", take_openssl_error()));
        }
    }
    return {};
}

Expected<Key> read_key(const std::string& pem) {
    const Bio bio = read_only(pem);
    Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
    const std::string why = take_openssl_error();
    if (key) {
        return key;
    }
    if (pem.find("PRIVATE KEY-----") == std::string::npos) {
        return fail(Code::BadRequest, "the client key holds no private key");
    }
    if (pem.find("ENCRYPTED") != std::string::npos) {
        return fail(Code::BadRequest, "the client key is encrypted; store it without a passphrase");
    }
    return fail(Code::BadRequest, fmt::format("the client key cannot be read: {}", why));
}

Expected<void> use_own(SSL_CTX* context, const ClientContextSettings& settings) {
    if (settings.chain_pem.empty() && settings.key_pem.empty()) {
        return {};
    }
    if (settings.key_pem.empty()) {
        return fail(Code::BadRequest, "there is a client certificate but no client key");
    }
    if (settings.chain_pem.empty()) {
        return fail(Code::BadRequest, "there is a client key but no client certificate");
    }
    const auto chain = read_certificates(settings.chain_pem, "the client certificate");
    if (!chain) {
        return tl::unexpected(chain.error());
    }
    const auto key = read_key(settings.key_pem);
    if (!key) {
        return tl::unexpected(key.error());
    }
    if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
        ERR_clear_error();
        return fail(Code::BadRequest, "the client key does not fit the client certificate");
    }
    bool used = SSL_CTX_use_certificate(context, chain->front().get()) == 1;
    for (std::size_t index = 1; used && index < chain->size(); ++index) {
        used = SSL_CTX_add1_chain_cert(context, (*chain)[index].get()) == 1;
    }
    if (!used || SSL_CTX_use_PrivateKey(context, key->get()) != 1) {
        return fail(Code::BadRequest,
                    fmt::format("the client certificate cannot be used: {}", take_openssl_error()));
    }
    return {};
}

void set_protocol(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // Other than everything else in OpenSSL, 0 is success.
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(kAlpn.data()),
                            static_cast<unsigned int>(kAlpn.size()));
}

}  // namespace

Expected<std::shared_ptr<const ClientContext>> ClientContext::make(
    const ClientContextSettings& settings) {
    ERR_clear_error();
    std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    if (!context) {
        return fail(Code::Internal, fmt::format("making a TLS context: {}", take_openssl_error()));
    }
    set_protocol(context.get());
    SSL_CTX_set_verify(context.get(), settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    // As Go does: what the CA file holds is trusted, an intermediate without its root, too.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
    if (settings.verify || !settings.ca_pem.empty()) {
        if (auto trusted = trust(context.get(), settings.ca_pem); !trusted) {
            return tl::unexpected(trusted.error());
        }
    }
    if (auto used = use_own(context.get(), settings); !used) {
        return tl::unexpected(used.error());
    }
    return std::shared_ptr<const ClientContext>{new ClientContext{std::move(context)}};
}

}  // namespace smw::tls
