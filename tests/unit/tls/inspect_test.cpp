#include "smw/tls/inspect.hpp"

#include "smw/tls/identity.hpp"
#include "unit/tls/inspect_world.hpp"

#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <set>
#include <string>

namespace smw::tls {
namespace {

using std::chrono::hours;
using test::CertificateSpec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Inspect, FindsNothingWrongWithWhatIsGood) {
    const Family family;
    EXPECT_THAT(findings_of(test::make_pair(good_spec())), IsEmpty());
    EXPECT_THAT(findings_of(family.leaf_pem, family.key_pem), IsEmpty());
    EXPECT_THAT(findings_of(family.leaf_pem + family.middle_pem, family.key_pem), IsEmpty());
    EXPECT_THAT(findings_of(family.leaf_pem + family.middle_pem + family.root_pem, family.key_pem),
                IsEmpty());
    EXPECT_THAT(findings_of(family.leaf_pem + family.middle_pem, std::nullopt), IsEmpty())
        << "a listener shows no key";
}

TEST(Inspect, TakesTheUsualKeysWithoutAWord) {
    const Family family;
    for (const auto& key :
         {named_key("ED25519"), named_key("EC", "P-384"), named_key("EC", "P-521"), rsa_key(2048),
          rsa_key(3072), rsa_key(4096)}) {
        const auto leaf = test::to_pem(test::issue(good_spec(), key, &family.middle));
        EXPECT_THAT(findings_of(leaf, test::to_pem(key)), IsEmpty())
            << EVP_PKEY_get0_type_name(key.get());
    }
}

TEST(Inspect, SaysWhatTheCertificateSays) {
    const Family family;
    CertificateSpec spec = good_spec();
    spec.san += ",DNS:*.example,IP:10.0.0.1,IP:fd00::1,email:a@b.c";
    spec.extended_key_usage = "serverAuth,clientAuth,1.2.3.4";
    spec.not_before = WallTime{std::chrono::seconds{1'700'000'000}};
    spec.not_after = kNow + hours{1000};
    const auto leaf = test::to_pem(test::issue(spec, family.key, &family.middle));
    const auto inspection = inspect({leaf + family.middle_pem, family.key_pem}, {{kName}, kNow});
    ASSERT_EQ(inspection.certificates.size(), 2U);
    const auto& details = inspection.certificates.front();
    EXPECT_EQ(details.subject, "CN=webhook");
    EXPECT_EQ(details.issuer, "CN=middle");
    EXPECT_THAT(details.names, ElementsAre(kName, "*.example", "10.0.0.1", "fd00::1"));
    EXPECT_THAT(details.usages, ElementsAre("serverAuth", "clientAuth", "1.2.3.4"));
    EXPECT_EQ(details.key, "EC P-256");
    EXPECT_EQ(details.signature, "ecdsa-with-SHA256");
    EXPECT_EQ(details.sha256.size(), 64U);
    EXPECT_THAT(details.serial, testing::MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(details.not_before, spec.not_before);
    EXPECT_LE(details.not_after, spec.not_after);
    EXPECT_FALSE(details.is_ca);
    EXPECT_TRUE(inspection.certificates[1].is_ca);
    EXPECT_EQ(inspection.leaf, 0U);
    EXPECT_FALSE(inspection.is_refused());
}

TEST(Inspect, NamesEachKindOfKey) {
    const Family family;
    const auto kind_of = [&](const test::KeyPtr& key) {
        const auto leaf = test::to_pem(test::issue(good_spec(), key, &family.root));
        return inspect({leaf, {}}, {{}, kNow}).certificates.front().key;
    };
    EXPECT_EQ(kind_of(named_key("ED25519")), "ED25519");
    EXPECT_EQ(kind_of(named_key("EC", "P-384")), "EC P-384");
    EXPECT_EQ(kind_of(named_key("EC", "secp256k1")), "EC secp256k1");
    EXPECT_EQ(kind_of(rsa_key(2048)), "RSA 2048");
}

TEST(Inspect, KeepsTheYear9999WithinTheClock) {
    CertificateSpec spec = good_spec();
    const auto key = test::make_key();
    const auto leaf = test::issue(spec, key);
    // RFC 5280 section 4.1.2.5: "no well-defined expiration date". Breaks the signature, and this
    // is not about that.
    ASN1_TIME_set_string(X509_getm_notAfter(leaf.get()), "99991231235959Z");
    X509_sign(leaf.get(), key.get(), EVP_sha256());
    const auto inspection = inspect({test::to_pem(leaf), test::to_pem(key)}, {{kName}, kNow});
    EXPECT_THAT(inspection.findings, IsEmpty());
    EXPECT_GT(inspection.certificates.front().not_after, kNow + hours{24 * 365 * 100});
}

TEST(Inspect, TakesWhateverElseIsInTheFiles) {
    const Family family;
    const std::string words = "Bag Attributes\n  friendlyName: x\nsubject=CN = x\n";
    EXPECT_THAT(findings_of(words + family.leaf_pem + "between\n" + family.middle_pem + "after",
                            "before\n" + family.key_pem + "after\n"),
                IsEmpty());
    EXPECT_THAT(findings_of(family.key_pem + family.leaf_pem, family.leaf_pem + family.key_pem),
                IsEmpty())
        << "key and chain in one file, as some tools write them";
    const auto parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
        "-----END EC PARAMETERS-----\n";
    EXPECT_THAT(findings_of(family.leaf_pem, parameters + family.key_pem), IsEmpty());
    std::string windows;
    for (const char letter : family.leaf_pem) {
        windows += letter == '\n' ? "\r\n" : std::string{letter};
    }
    EXPECT_THAT(findings_of(windows, family.key_pem), IsEmpty());
}
TEST(Inspect, JudgesTheLeafThatTheKeyIsFor) {
    const Family family;
    const auto inspection =
        inspect({family.middle_pem + family.leaf_pem, family.key_pem}, {{kName}, kNow});
    EXPECT_EQ(inspection.leaf, 1U);
    EXPECT_THAT(inspection.findings, ElementsAre(refused(Rule::LeafNotFirst, "in the order 2, 1")))
        << "its names are there";
}

TEST(Inspect, SeesWithoutAKeyThatAChainBeginsWithACa) {
    const Family family;
    const auto inspection =
        inspect({family.middle_pem + family.leaf_pem, std::nullopt}, {{}, kNow});
    EXPECT_THAT(inspection.findings, testing::Contains(refused(Rule::LeafNotFirst,
                                                               "the chain begins with a CA; the "
                                                               "server's own must come first: "
                                                               "write them in the order 2, 1")));
}

TEST(Inspect, WithoutAnExpectationWantsANameAtLeast) {
    const auto pair = test::make_pair(with([](auto& spec) { spec.san = ""; }));
    EXPECT_THAT(inspect({pair.chain_pem, pair.key_pem}, {{}, kNow}).findings,
                ElementsAre(suspicious(Rule::NoNames, "it has no SAN at all")));
    EXPECT_THAT(
        inspect({test::make_pair(with([](auto& spec) { spec.san = "IP:10.0.0.1"; })).chain_pem, {}},
                {{"10.0.0.1"}, kNow})
            .findings,
        IsEmpty());
}

TEST(Inspect, SurvivesAChainAndAKeyCutAtEachByte) {
    const Family family;
    const auto chain = family.leaf_pem + family.middle_pem;
    for (std::size_t size = 0; size < chain.size(); ++size) {
        const auto inspection = inspect({chain.substr(0, size), family.key_pem}, {{kName}, kNow});
        const bool ends_with_first =
            size >= family.leaf_pem.size() - 1 &&
            size <= family.leaf_pem.size() + std::strlen("-----BEGIN CERTIFICATE----");
        const bool whole = ends_with_first || size == chain.size() - 1;
        EXPECT_EQ(inspection.is_refused(), !whole) << size;
    }
    for (std::size_t size = 0; size + 1 < family.key_pem.size(); ++size) {
        EXPECT_TRUE(inspect({family.leaf_pem, family.key_pem.substr(0, size)}, {{kName}, kNow})
                        .is_refused())
            << size;
    }
}

TEST(Inspect, SurvivesEachByteChanged) {
    const Family family;
    for (std::size_t at = 0; at < family.leaf_pem.size(); ++at) {
        auto changed = family.leaf_pem;
        changed[at] = changed[at] == 'A' ? 'Q' : 'A';
        const auto inspection = inspect({changed, family.key_pem}, {{kName}, kNow});
        const auto identity = make_identity(changed, family.key_pem, {{kName}, kNow});
        if (identity) {
            EXPECT_EQ(identity->chain_pem, changed) << at;
        } else {
            EXPECT_TRUE(inspection.is_refused()) << at;
        }
        EXPECT_EQ(ERR_peek_error(), 0U) << at;
    }
}

/// A public key that nobody needs the private half of: primes of that size take long to find.
test::KeyPtr large_rsa_key(int bits) {
    const std::shared_ptr<BIGNUM> modulus{BN_new(), BN_free};
    BN_rand(modulus.get(), bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    const std::shared_ptr<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free};
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_uint(builder.get(), OSSL_PKEY_PARAM_RSA_E, 65537);
    const std::shared_ptr<OSSL_PARAM> parameters{OSSL_PARAM_BLD_to_param(builder.get()),
                                                 OSSL_PARAM_free};
    const std::shared_ptr<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr),
                                                EVP_PKEY_CTX_free};
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()), 1);
    return {key, EVP_PKEY_free};
}

TEST(Inspect, SuspectsAnRsaKeyThatClientsWillNotVerify) {
    const Family family;
    const auto leaf = [&](int bits) {
        return test::to_pem(test::issue(good_spec(), large_rsa_key(bits), &family.middle));
    };
    EXPECT_THAT(findings_of(leaf(8192), std::nullopt), testing::IsEmpty());
    EXPECT_THAT(findings_of(leaf(8200), std::nullopt),
                ElementsAre(suspicious(Rule::UnusualKey,
                                       "its RSA key has 8200 bits, and API "
                                       "servers take 8192 at most")));
}

TEST(Inspect, SuspectsMd5) {
    const auto key = test::make_key(test::KeyKind::Rsa2048);
    const auto leaf = test::issue(good_spec(), key);
    X509_sign(leaf.get(), key.get(), EVP_md5());
    EXPECT_THAT(findings_of(test::to_pem(leaf), test::to_pem(key)),
                ElementsAre(suspicious(Rule::WeakSignature, "it is signed with MD5")));
}

/// Adds an extension of these bytes and signs again.
void add_extension(const test::Issuer& own, int nid, const std::string& bytes) {
    const std::shared_ptr<ASN1_OCTET_STRING> content{ASN1_OCTET_STRING_new(),
                                                     ASN1_OCTET_STRING_free};
    ASN1_OCTET_STRING_set(content.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size()));
    const std::shared_ptr<X509_EXTENSION> extension{
        X509_EXTENSION_create_by_NID(nullptr, nid, 1, content.get()), X509_EXTENSION_free};
    X509_add_ext(own.certificate.get(), extension.get(), -1);
    X509_sign(own.certificate.get(), own.key.get(), EVP_sha256());
}

TEST(Inspect, SuspectsAnExtensionThatMakesNoSense) {
    const auto key = test::make_key();
    const test::Issuer own{test::issue(good_spec(), key), key};
    add_extension(own, NID_key_usage, "garbage");
    EXPECT_THAT(findings_of(test::to_pem(own.certificate), test::to_pem(key)),
                ElementsAre(suspicious(Rule::UnreadableCertificate, "makes no sense")));
}

TEST(InspectAuthority, RefusesACaThatMayNotSignCertificates) {
    const auto ca = make_ca("ca");
    add_extension(ca, NID_key_usage, std::string{"\x03\x02\x01\x02", 4});  // cRLSign alone
    EXPECT_THAT(
        inspect_authority({test::to_pem(ca.certificate), test::to_pem(ca.key)}, kNow).findings,
        ElementsAre(refused(Rule::NotACa,
                            "may not sign certificates (its keyUsage lacks "
                            "keyCertSign)")));
}

TEST(Inspect, DoesNotFollowAChainThatNobodyWouldSend) {
    const Family family;
    std::string others;
    for (int count = 0; count < 16; ++count) {
        others += family.middle_pem;
    }
    EXPECT_THAT(findings_of(family.leaf_pem + others, family.key_pem),
                ElementsAre(suspicious(Rule::NotNeeded, "the chain has 17 certificates")));
    EXPECT_THAT(findings_of(others + family.leaf_pem, family.key_pem),
                ElementsAre(refused(Rule::LeafNotFirst, "belongs to certificate number 17"),
                            suspicious(Rule::NotNeeded, "the chain has 17 certificates")));
}

TEST(Inspect, TellsTheFirstFewThatCannotBeRead) {
    std::string chain;
    for (int count = 0; count < 9000; ++count) {
        chain += "-----BEGIN CERTIFICATE-----\n";
    }
    EXPECT_THAT(findings_of(chain, std::nullopt),
                ElementsAre(refused(Rule::UnreadableCertificate, "certificate number 1 "),
                            refused(Rule::UnreadableCertificate, "certificate number 2 "),
                            refused(Rule::UnreadableCertificate, "certificate number 3 "),
                            refused(Rule::UnreadableCertificate, "certificate number 4 "),
                            refused(Rule::UnreadableCertificate,
                                    "8996 further certificates cannot be read")));
}

TEST(InspectAuthority, TakesACaAndItsKey) {
    const auto ca = make_ca("ca");
    EXPECT_THAT(
        inspect_authority({test::to_pem(ca.certificate), test::to_pem(ca.key)}, kNow).findings,
        IsEmpty());
}

TEST(InspectAuthority, RefusesWhatCannotSign) {
    const auto ca = make_ca("ca");
    const auto pem = test::to_pem(ca.certificate);
    const auto findings = [](const std::string& chain, const std::string& key) {
        return inspect_authority({chain, key}, kNow).findings;
    };
    EXPECT_THAT(findings("", ""),
                ElementsAre(refused(Rule::NoCertificate, "in the CA: it is empty"),
                            refused(Rule::NoKey, "")));
    EXPECT_THAT(findings(pem, test::to_pem(test::make_key())),
                ElementsAre(refused(Rule::ForeignKey,
                                    "the private key does not belong to the CA (CN=ca)")));
    const auto no_ca = make_ca("leaf", nullptr, {.is_ca = false});
    EXPECT_THAT(findings(test::to_pem(no_ca.certificate), test::to_pem(no_ca.key)),
                ElementsAre(refused(Rule::NotACa, "the CA (CN=leaf) is no CA")));
    const auto old = make_ca("old", nullptr, {.not_after = kNow - hours{1}, .is_ca = true});
    EXPECT_THAT(findings(test::to_pem(old.certificate), test::to_pem(old.key)),
                ElementsAre(refused(Rule::Expired, "the CA (CN=old) expired at")));
    EXPECT_THAT(findings(pem, test::to_encrypted_pem(ca.key, "x")),
                ElementsAre(refused(Rule::EncryptedKey, "")));
}

TEST(InspectTrust, LooksAtEachOfABundle) {
    const auto good = test::to_pem(make_ca("good").certificate);
    const auto old = test::to_pem(
        make_ca("old", nullptr, {.not_after = kNow - hours{1}, .is_ca = true}).certificate);
    const auto no_ca = test::to_pem(make_ca("no-ca", nullptr, {.is_ca = false}).certificate);
    EXPECT_THAT(inspect_trust(good, kNow).findings, IsEmpty());
    EXPECT_THAT(inspect_trust(good + old, kNow).findings,
                ElementsAre(suspicious(Rule::Expired, "number 2 of the CA bundle (CN=old)")));
    EXPECT_THAT(inspect_trust(old, kNow).findings, ElementsAre(refused(Rule::Expired, "CN=old")));
    EXPECT_THAT(inspect_trust(no_ca + good, kNow).findings,
                ElementsAre(suspicious(Rule::NotACa, "number 1 of the CA bundle (CN=no-ca)")));
    EXPECT_THAT(inspect_trust("", kNow).findings,
                ElementsAre(refused(Rule::NoCertificate, "in the CA bundle: it is empty")));
}

TEST(MakeIdentity, SaysAllThatIsRefusedAndKeepsOnlyItsBlocks) {
    const Family family;
    const auto bad = make_identity("one", "two", {{}, kNow});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message,
              "there is no PEM certificate in the chain; there is no PEM private key in the key "
              "file");
    const auto good = make_identity("words\n" + family.key_pem + family.leaf_pem + "words",
                                    family.leaf_pem + family.key_pem, {{kName}, kNow});
    ASSERT_TRUE(good);
    EXPECT_EQ(good->chain_pem, family.leaf_pem);
    EXPECT_EQ(good->key_pem, family.key_pem);
}

TEST(CountPem, CountsCertificatesAndKeys) {
    const Family family;
    const auto content = count_pem("x\n" + family.leaf_pem + family.key_pem + family.root_pem);
    EXPECT_EQ(content.certificates, 2U);
    EXPECT_EQ(content.keys, 1U);
    EXPECT_EQ(count_pem("").certificates, 0U);
}

TEST(Rules, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (int rule = 0; rule <= static_cast<int>(Rule::WeakSignature); ++rule) {
        const auto name = to_string(static_cast<Rule>(rule));
        EXPECT_THAT(std::string{name}, testing::MatchesRegex("[a-z0-9]+(-[a-z0-9]+)*"));
        EXPECT_TRUE(names.insert(name).second) << name;
    }
}

}  // namespace
}  // namespace smw::tls
