#include "smw/tls/identity.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace smw::tls {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

X509Ptr parse(const std::string& pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509Ptr certificate{PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free};
    BIO_free(bio);
    return certificate;
}

/// OpenSSL's verdict on the leaf for a server `name`, trusting `ca` only.
std::string verify(X509* ca, X509* leaf, const std::string& name, bool is_address) {
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store{X509_STORE_new(),
                                                                        X509_STORE_free};
    X509_STORE_add_cert(store.get(), ca);
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context{
        X509_STORE_CTX_new(), X509_STORE_CTX_free};
    X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr);
    X509_VERIFY_PARAM* asked = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_purpose(asked, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(asked, X509_V_FLAG_X509_STRICT);
    if (is_address) {
        X509_VERIFY_PARAM_set1_ip_asc(asked, name.c_str());
    } else {
        X509_VERIFY_PARAM_set1_host(asked, name.c_str(), name.size());
    }
    X509_verify_cert(context.get());
    return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

const WallTime kNow = std::chrono::system_clock::now();

TEST(Ephemeral, VerifiesForEachOfItsNamesAndForNoOther) {
    const auto made =
        make_ephemeral({{"svc.ns.svc", "svc.ns", "localhost", "127.0.0.1", "::1"}, kNow});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_THAT(made->identity.names,
                testing::ElementsAre("svc.ns.svc", "svc.ns", "localhost", "127.0.0.1", "::1"));
    EXPECT_THAT(made->identity.warnings, testing::IsEmpty());
    const auto ca = parse(made->ca_pem);
    const auto leaf = parse(made->identity.chain_pem);
    for (const char* name : {"svc.ns.svc", "svc.ns", "localhost"}) {
        EXPECT_EQ(verify(ca.get(), leaf.get(), name, false), "ok") << name;
    }
    for (const char* address : {"127.0.0.1", "::1"}) {
        EXPECT_EQ(verify(ca.get(), leaf.get(), address, true), "ok") << address;
    }
    EXPECT_EQ(verify(ca.get(), leaf.get(), "svc", false), "hostname mismatch");
    EXPECT_EQ(verify(leaf.get(), leaf.get(), "svc.ns", false),
              "unable to get local issuer certificate")
        << "the leaf is no CA";
}

TEST(Ephemeral, IsValidFromAnHourAgoForAYear) {
    const auto made = make_ephemeral({{"localhost"}, kNow});
    ASSERT_TRUE(made);
    EXPECT_TRUE(validity(made->identity, kNow - std::chrono::minutes{59}));
    EXPECT_FALSE(validity(made->identity, kNow - std::chrono::minutes{61}));
    EXPECT_TRUE(validity(made->identity, kNow + std::chrono::hours{24 * 364}));
    EXPECT_FALSE(validity(made->identity, kNow + std::chrono::hours{24 * 366}));
}

TEST(Ephemeral, IsAnotherEachTime) {
    const auto one = make_ephemeral({{"localhost"}, kNow});
    const auto two = make_ephemeral({{"localhost"}, kNow});
    ASSERT_TRUE(one && two);
    EXPECT_NE(one->identity.key_pem, two->identity.key_pem);
    EXPECT_NE(one->ca_pem, two->ca_pem);
    const auto ca = parse(one->ca_pem);
    const auto leaf = parse(two->identity.chain_pem);
    EXPECT_NE(verify(ca.get(), leaf.get(), "localhost", false), "ok");
}

TEST(Ephemeral, WithoutANameIsRefused) {
    const auto made = make_ephemeral({{}, kNow});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, testing::HasSubstr("name"));
}

}  // namespace
}  // namespace smw::tls
