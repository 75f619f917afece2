#include "smw/tls/server_context.hpp"

#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <set>
#include <string>

namespace smw::tls {
namespace {

using test::CertificateSpec;
using test::KeyKind;

Expected<std::shared_ptr<const ServerContext>> make(const ServerSettings& settings,
                                                    const CertificateSpec& spec = {},
                                                    KeyKind kind = KeyKind::P256) {
    const auto pair = test::make_pair(spec, kind);
    auto identity =
        make_identity(pair.chain_pem, pair.key_pem, {{}, std::chrono::system_clock::now()});
    return ServerContext::make(std::move(*identity), settings);
}

std::set<std::string> suites_of(const ServerContext& context) {
    std::set<std::string> names;
    const auto* ciphers = SSL_CTX_get_ciphers(context.native());
    for (int index = 0; index < sk_SSL_CIPHER_num(ciphers); ++index) {
        names.insert(SSL_CIPHER_standard_name(sk_SSL_CIPHER_value(ciphers, index)));
    }
    return names;
}

/// A whole handshake in memory; empty when it succeeded, else why the client says it failed.
std::string shake_hands(const ServerContext& context, int client_version) {
    SSL_CTX* client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(client_context, 0);
    SSL_CTX_set_max_proto_version(client_context, client_version);
    SSL* client = SSL_new(client_context);
    SSL* server = SSL_new(context.native());
    BIO* one = nullptr;
    BIO* other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    bool done = false;
    for (int round = 0; round < 20 && !done; ++round) {
        const int from_client = SSL_do_handshake(client);
        const int from_server = SSL_do_handshake(server);
        done = from_client == 1 && from_server == 1;
    }
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_context);
    return done ? "" : "no handshake";
}

TEST(ServerContext, KeepsNoCopyOfTheKey) {
    const auto context = make({});
    ASSERT_TRUE(context);
    EXPECT_EQ((*context)->identity().key_pem, "");
    EXPECT_NE((*context)->identity().chain_pem, "");
    EXPECT_EQ(shake_hands(**context, TLS1_3_VERSION), "");
}

TEST(ParseProtocolVersion, TakesBothSpellings) {
    EXPECT_EQ(parse_protocol_version("VersionTLS12"), ProtocolVersion::Tls12);
    EXPECT_EQ(parse_protocol_version("1.2"), ProtocolVersion::Tls12);
    EXPECT_EQ(parse_protocol_version("VersionTLS13"), ProtocolVersion::Tls13);
    EXPECT_EQ(parse_protocol_version("1.3"), ProtocolVersion::Tls13);
    for (const char* text : {"", "VersionTLS11", "1.1", "TLS1.2", "versiontls12", " 1.2", "1.30"}) {
        const auto parsed = parse_protocol_version(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_THAT(parsed.error().message, testing::HasSubstr("VersionTLS12"));
    }
}

TEST(CheckCipherSuites, KnowsKubeApiserversNames) {
    EXPECT_TRUE(check_cipher_suites({}));
    EXPECT_TRUE(check_cipher_suites({
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    }));
}

TEST(CheckCipherSuites, NamesTheFirstThatIsNone) {
    for (const char* suite :
         {"TLS_MADE_UP", "", "ECDHE-RSA-AES128-GCM-SHA256", "tls_aes_128_gcm_sha256", "ALL",
          "TLS_RSA_WITH_NULL_SHA256", "TLS_DH_anon_WITH_AES_128_GCM_SHA256"}) {
        const auto checked =
            check_cipher_suites({"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", suite, "TLS_ALSO_NOT"});
        ASSERT_FALSE(checked) << suite;
        EXPECT_EQ(checked.error().code, Code::BadRequest);
        EXPECT_THAT(checked.error().message, testing::HasSubstr(std::string{"\""} + suite + "\""));
    }
}

TEST(ServerContext, OffersTheChosenSuitesOnly) {
    ServerSettings settings;
    settings.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"};
    const auto context = make(settings);
    ASSERT_TRUE(context) << context.error().message;
    EXPECT_THAT(
        suites_of(**context),
        testing::ElementsAre("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
}

TEST(ServerContext, OffersNoSuiteWithoutEncryptionOrAuthentication) {
    const auto context = make({});
    ASSERT_TRUE(context);
    for (const auto& suite : suites_of(**context)) {
        EXPECT_THAT(suite, testing::Not(testing::HasSubstr("NULL")));
        EXPECT_THAT(suite, testing::Not(testing::HasSubstr("anon")));
    }
}

TEST(ServerContext, KeepsTheLowestVersion) {
    const auto from12 = make({});
    const auto from13 = make({ProtocolVersion::Tls13, {}});
    ASSERT_TRUE(from12 && from13);
    EXPECT_EQ(shake_hands(**from12, TLS1_2_VERSION), "");
    EXPECT_EQ(shake_hands(**from12, TLS1_3_VERSION), "");
    EXPECT_NE(shake_hands(**from12, TLS1_1_VERSION), "");
    EXPECT_NE(shake_hands(**from13, TLS1_2_VERSION), "");
    EXPECT_EQ(shake_hands(**from13, TLS1_3_VERSION), "");
}

TEST(ServerContext, ServesWeakCertificatesThatWereWarnedOf) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto rsa = make({}, {}, KeyKind::Rsa1024);
        ASSERT_TRUE(rsa) << rsa.error().message;
        EXPECT_EQ(shake_hands(**rsa, version), "");
        const test::Issuer ca{test::issue({.common_name = "ca", .is_ca = true}, test::make_key()),
                              test::make_key()};
        const auto key = test::make_key();
        const auto leaf = test::issue({.sha1 = true}, key, &ca);
        auto identity = make_identity(test::to_pem(leaf), test::to_pem(key),
                                      {{}, std::chrono::system_clock::now()});
        ASSERT_TRUE(identity);
        const auto sha1 = ServerContext::make(std::move(*identity), {});
        ASSERT_TRUE(sha1) << sha1.error().message;
        EXPECT_EQ(shake_hands(**sha1, version), "");
    }
}

TEST(ServerContext, SendsTheWholeChain) {
    const auto ca_key = test::make_key();
    const test::Issuer ca{test::issue({.common_name = "ca", .is_ca = true}, ca_key), ca_key};
    const auto key = test::make_key();
    const auto leaf = test::issue({}, key, &ca);
    auto identity = make_identity(test::to_pem(leaf) + test::to_pem(ca.certificate),
                                  test::to_pem(key), {{}, std::chrono::system_clock::now()});
    ASSERT_TRUE(identity);
    const auto context = ServerContext::make(std::move(*identity), {});
    ASSERT_TRUE(context);
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs((*context)->native(), &chain);
    EXPECT_EQ(sk_X509_num(chain), 1);
}

}  // namespace
}  // namespace smw::tls
