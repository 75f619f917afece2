#include "smw/tls/client_context.hpp"

#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

namespace smw::tls {
namespace {

using test::CertificateSpec;
using test::Issuer;
using test::KeyKind;
using testing::HasSubstr;
using testing::Not;

using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;
using SslContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

std::string broken(std::string pem) {
    // In the base64 of its first line.
    pem.replace(pem.find('\n') + 10, 4, "!!!!");
    return pem;
}

/// A server for one handshake in memory.
struct Server {
    SslContext context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};

    Server(const test::CertificatePtr& certificate, const test::KeyPtr& key) {
        SSL_CTX_use_certificate(context.get(), certificate.get());
        SSL_CTX_use_PrivateKey(context.get(), key.get());
    }
};

struct Handshake {
    bool done = false;
    long verify_result = X509_V_OK;
    std::string client_name;  ///< the common name of the client's certificate
    int client_chain = 0;     ///< how many certificates it sent
    std::string alpn;         ///< what the client offered, wire form
};

int keep_alpn(SSL*, const unsigned char**, unsigned char*, const unsigned char* in,
              unsigned int in_size, void* handshake) {
    static_cast<Handshake*>(handshake)->alpn.assign(reinterpret_cast<const char*>(in), in_size);
    return SSL_TLSEXT_ERR_NOACK;
}

std::string common_name(X509* certificate) {
    std::string name(64, '\0');
    const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                               name.data(), static_cast<int>(name.size()));
    name.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return name;
}

Handshake shake_hands(const ClientContext& client_context, const Server& server_side) {
    Handshake result;
    SSL_CTX_set_alpn_select_cb(server_side.context.get(), keep_alpn, &result);
    const Ssl client{SSL_new(client_context.native()), SSL_free};
    const Ssl server{SSL_new(server_side.context.get()), SSL_free};
    SSL_set_verify(server.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    BIO* one = nullptr;
    BIO* other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(client.get(), one, one);
    SSL_set_bio(server.get(), other, other);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    for (int round = 0; round < 20 && !result.done; ++round) {
        const int from_client = SSL_do_handshake(client.get());
        const int from_server = SSL_do_handshake(server.get());
        result.done = from_client == 1 && from_server == 1;
    }
    result.verify_result = SSL_get_verify_result(client.get());
    if (X509* certificate = SSL_get0_peer_certificate(server.get())) {
        result.client_name = common_name(certificate);
    }
    if (const auto* chain = SSL_get_peer_cert_chain(server.get())) {
        result.client_chain = sk_X509_num(chain);
    }
    return result;
}

struct Authority {
    explicit Authority(const std::string& name = "authority")
        : certificate(test::issue({.common_name = name, .san = "", .is_ca = true}, key)) {}

    test::KeyPtr key = test::make_key();
    test::CertificatePtr certificate;

    [[nodiscard]] Issuer issuer() const { return {certificate, key}; }
    [[nodiscard]] std::string pem() const { return test::to_pem(certificate); }
};

TEST(ClientContext, TrustsWhatItsCaSigned) {
    const Authority authority;
    const Issuer issuer = authority.issuer();
    const auto key = test::make_key();
    const Server server{test::issue({}, key, &issuer), key};
    const auto context = ClientContext::make({.ca_pem = authority.pem()});
    ASSERT_TRUE(context) << context.error().message;
    EXPECT_TRUE(shake_hands(**context, server).done);
}

TEST(ClientContext, TrustsEveryCertificateOfItsCa) {
    const Authority first{"first"};
    const Authority second{"second"};
    const Issuer issuer = second.issuer();
    const auto key = test::make_key();
    const Server server{test::issue({}, key, &issuer), key};
    const auto both = ClientContext::make(
        {.ca_pem = "# two of them\n" + first.pem() + "\nand the other\n" + second.pem() + "\n\n"});
    ASSERT_TRUE(both) << both.error().message;
    EXPECT_TRUE(shake_hands(**both, server).done);
    const auto twice = ClientContext::make({.ca_pem = second.pem() + second.pem()});
    ASSERT_TRUE(twice) << "the same twice is no error: " << twice.error().message;
    EXPECT_TRUE(shake_hands(**twice, server).done);
}

TEST(ClientContext, TrustsAnIntermediateWithoutItsRoot) {
    const Authority root;
    const Issuer root_issuer = root.issuer();
    const auto middle_key = test::make_key();
    const auto middle =
        test::issue({.common_name = "middle", .san = "", .is_ca = true}, middle_key, &root_issuer);
    const Issuer middle_issuer{middle, middle_key};
    const auto key = test::make_key();
    const Server server{test::issue({}, key, &middle_issuer), key};
    const auto context = ClientContext::make({.ca_pem = test::to_pem(middle)});
    ASSERT_TRUE(context) << context.error().message;
    EXPECT_TRUE(shake_hands(**context, server).done);
}

TEST(ClientContext, RefusesAServerItDoesNotTrust) {
    const auto key = test::make_key();
    const Server server{test::issue({}, key), key};
    for (const std::string& ca : {Authority{}.pem(), std::string{}}) {
        const auto context = ClientContext::make({.ca_pem = ca});
        ASSERT_TRUE(context) << context.error().message;
        const auto handshake = shake_hands(**context, server);
        EXPECT_FALSE(handshake.done) << (ca.empty() ? "the system's CAs" : "another CA");
        EXPECT_NE(handshake.verify_result, X509_V_OK);
    }
}

TEST(ClientContext, BelievesAnyServerWhenToldTo) {
    const auto key = test::make_key();
    const Server server{test::issue({}, key), key};
    const auto context = ClientContext::make({.verify = false});
    ASSERT_TRUE(context) << context.error().message;
    EXPECT_TRUE(shake_hands(**context, server).done);
}

TEST(ClientContext, ShowsItsWholeChain) {
    const Authority authority;
    const Issuer issuer = authority.issuer();
    const auto key = test::make_key();
    const auto leaf =
        test::issue({.common_name = "node", .extended_key_usage = "clientAuth"}, key, &issuer);
    const auto server_key = test::make_key();
    const Server server{test::issue({}, server_key), server_key};
    const auto context = ClientContext::make({.chain_pem = test::to_pem(leaf) + authority.pem(),
                                              .key_pem = test::to_pem(key),
                                              .verify = false});
    ASSERT_TRUE(context) << context.error().message;
    SSL_CTX_set_max_proto_version(server.context.get(), TLS1_2_VERSION);
    const auto handshake = shake_hands(**context, server);
    EXPECT_TRUE(handshake.done);
    EXPECT_EQ(handshake.client_name, "node");
    EXPECT_EQ(handshake.client_chain, 1) << "beside the leaf";
}

TEST(ClientContext, OffersHttp11Alone) {
    const auto key = test::make_key();
    const Server server{test::issue({}, key), key};
    const auto context = ClientContext::make({.verify = false});
    ASSERT_TRUE(context) << context.error().message;
    EXPECT_EQ(shake_hands(**context, server).alpn, "\x08http/1.1");
}

TEST(ClientContext, SpeaksTls12AtLeast) {
    const auto key = test::make_key();
    const auto context = ClientContext::make({.verify = false});
    ASSERT_TRUE(context) << context.error().message;
    for (const int version : {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
        const Server server{test::issue({}, key), key};
        SSL_CTX_set_security_level(server.context.get(), 0);
        SSL_CTX_set_max_proto_version(server.context.get(), version);
        EXPECT_EQ(shake_hands(**context, server).done, version != TLS1_1_VERSION) << version;
    }
}

struct BadInput {
    const char* what;
    ClientContextSettings settings;
    const char* says;
};

std::vector<BadInput> bad_inputs() {
    const test::Pair pair = test::make_pair();
    const test::Pair other = test::make_pair();
    const test::Pair small = test::make_pair({}, KeyKind::Rsa1024);
    const std::string encrypted = test::to_encrypted_pem(test::make_key(), "secret");
    const auto own = [](const std::string& chain, const std::string& key) {
        return ClientContextSettings{.chain_pem = chain, .key_pem = key};
    };
    return {
        {"a CA of blanks", {.ca_pem = " \n"}, "the CA holds no certificate"},
        {"a CA that is no PEM", {.ca_pem = "certificate"}, "the CA holds no certificate"},
        {"a key as the CA", {.ca_pem = pair.key_pem}, "the CA holds no certificate"},
        {"a broken CA",
         {.ca_pem = broken(pair.chain_pem)},
         "certificate number 1 of the CA cannot be read: "},
        {"a CA that breaks off",
         {.ca_pem = pair.chain_pem + other.chain_pem.substr(0, 200)},
         "certificate number 2 of the CA cannot be read: "},
        {"a bad CA although nothing is verified",
         {.ca_pem = "certificate", .verify = false},
         "the CA holds no certificate"},
        {"a certificate without a key", own(pair.chain_pem, ""),
         "there is a client certificate but no client key"},
        {"a key without a certificate", own("", pair.key_pem),
         "there is a client key but no client certificate"},
        {"another's key", own(pair.chain_pem, other.key_pem),
         "the client key does not fit the client certificate"},
        {"a chain with the leaf last", own(other.chain_pem + pair.chain_pem, pair.key_pem),
         "the client key does not fit the client certificate"},
        {"an encrypted key", own(pair.chain_pem, encrypted),
         "the client key is encrypted; store it without a passphrase"},
        {"a broken key", own(pair.chain_pem, broken(pair.key_pem)),
         "the client key cannot be read: "},
        {"a certificate as the key", own(pair.chain_pem, pair.chain_pem),
         "the client key holds no private key"},
        {"a certificate that is none", own("certificate", pair.key_pem),
         "the client certificate holds no certificate"},
        {"a broken certificate", own(broken(pair.chain_pem), pair.key_pem),
         "certificate number 1 of the client certificate cannot be read: "},
        {"a key too small for OpenSSL", own(small.chain_pem, small.key_pem),
         "the client certificate cannot be used: ee key too small"},
    };
}

TEST(ClientContext, RefusesBadInputAndSaysWhichPart) {
    for (const auto& [what, settings, says] : bad_inputs()) {
        const auto context = ClientContext::make(settings);
        ASSERT_FALSE(context) << what;
        EXPECT_EQ(context.error().code, Code::BadRequest) << what;
        EXPECT_THAT(context.error().message, HasSubstr(says)) << what;
    }
}

TEST(ClientContext, NeverShowsAKey) {
    for (const auto& [what, settings, says] : bad_inputs()) {
        const auto context = ClientContext::make(settings);
        ASSERT_FALSE(context) << what;
        for (const std::string* text : {&settings.ca_pem, &settings.key_pem, &settings.chain_pem}) {
            for (std::size_t at = 0; at + 8 <= text->size() && text->size() > 20; at += 8) {
                EXPECT_THAT(context.error().message, Not(HasSubstr(text->substr(at, 8)))) << what;
            }
        }
    }
}

TEST(ClientContext, LeavesNoErrorBehindForOthers) {
    for (const auto& [what, settings, says] : bad_inputs()) {
        ASSERT_FALSE(ClientContext::make(settings)) << what;
        EXPECT_EQ(ERR_peek_error(), 0U) << what;
    }
}

}  // namespace
}  // namespace smw::tls
