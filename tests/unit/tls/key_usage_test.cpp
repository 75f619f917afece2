// A server's key that may not sign: what clients do, and so what is said about it.

#include "smw/tls/server_context.hpp"
#include "unit/tls/extensions.hpp"
#include "unit/tls/inspect_world.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace smw::tls {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

/// One that signed itself; no keyUsage when `usage` is empty.
test::Pair pair_for(const std::string& usage, const test::KeyPtr& key) {
    auto certificate = test::issue(good_spec(), key);
    if (!usage.empty()) {
        certificate = test::with_key_usage(certificate, usage.c_str(), key);
    }
    return {test::to_pem(certificate), test::to_pem(key)};
}

/// Whether a client that trusts the server's certificate comes through in this version.
bool shakes_hands(const test::Pair& pair, int version) {
    const auto server_context =
        ServerContext::make(*make_identity(pair.chain_pem, pair.key_pem, {{}, kNow}), {});
    const Context context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                        SSL_CTX_get0_certificate((*server_context)->native()));
    const Session client{SSL_new(context.get()), SSL_free};
    const Session server{SSL_new((*server_context)->native()), SSL_free};
    BIO* one = nullptr;
    BIO* other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(client.get(), one, one);
    SSL_set_bio(server.get(), other, other);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    bool done = false;
    for (int round = 0; round < 20 && !done; ++round) {
        const int from_client = SSL_do_handshake(client.get());
        const int from_server = SSL_do_handshake(server.get());
        done = from_client == 1 && from_server == 1;
    }
    ERR_clear_error();
    return done;
}

TEST(KeyUsage, IsSuspiciousWithoutDigitalSignatureAsHandshakesShow) {
    const auto ec = test::make_key();
    const auto rsa = test::make_key(test::KeyKind::Rsa2048);
    struct Case {
        const test::KeyPtr& key;
        const char* usage;
        bool in_tls12;
        bool in_tls13;
    };
    for (const auto& [key, usage, in_tls12, in_tls13] : {
             Case{ec, "keyAgreement", false, true},
             Case{ec, "keyCertSign", false, false},
             Case{rsa, "keyEncipherment", true, true},
             Case{rsa, "keyCertSign", false, false},
         }) {
        const auto pair = pair_for(usage, key);
        EXPECT_EQ(shakes_hands(pair, TLS1_2_VERSION), in_tls12) << usage;
        EXPECT_EQ(shakes_hands(pair, TLS1_3_VERSION), in_tls13) << usage;
        EXPECT_THAT(findings_of(pair), ElementsAre(suspicious(Rule::NotForSigning,
                                                              "its keyUsage lacks "
                                                              "digitalSignature: ")))
            << usage;
        EXPECT_EQ(findings_of(pair).at(0).text.find("TLS 1.2 does not work") != std::string::npos,
                  key == ec);
        EXPECT_TRUE(believes({pair.chain_pem, kName, kNow}, pair.chain_pem))
            << "crypto/x509 does not look at it";
    }
}

TEST(KeyUsage, IsGoodWithDigitalSignatureOrWithoutAny) {
    for (const auto kind : {test::KeyKind::P256, test::KeyKind::Rsa2048}) {
        for (const auto* usage : {"", "digitalSignature", "digitalSignature,keyEncipherment"}) {
            const auto pair = pair_for(usage, test::make_key(kind));
            EXPECT_TRUE(shakes_hands(pair, TLS1_2_VERSION)) << usage;
            EXPECT_TRUE(shakes_hands(pair, TLS1_3_VERSION)) << usage;
            EXPECT_THAT(findings_of(pair), IsEmpty()) << usage;
        }
    }
}

}  // namespace
}  // namespace smw::tls
