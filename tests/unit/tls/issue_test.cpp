#include "smw/tls/issue.hpp"

#include "smw/tls/inspect.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <set>
#include <string>

namespace smw::tls {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

const WallTime kNow = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
const std::vector<std::string> kNames{"svc.ns.svc", "*.example.com", "10.0.0.1", "fd00::1"};

X509Ptr parse(const std::string& pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509Ptr certificate{PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free};
    BIO_free(bio);
    return certificate;
}

Issued make_ca(std::chrono::seconds lifetime = hours{24 * 365}) {
    return issue_ca({"ca", kNow, lifetime}).value();
}

LeafRequest request() {
    return {"svc", kNames, kNow, hours{168}};
}

CertificateDetails details_of(const Issued& issued) {
    return inspect({issued.certificate_pem, issued.key_pem}, {{}, kNow}).certificates.at(0);
}

/// OpenSSL's strictest judgement (X509_V_FLAG_X509_STRICT wants all that RFC 5280 does).
std::string verify(const Issued& ca, const Issued& leaf) {
    const auto trusted = parse(ca.certificate_pem);
    const auto certificate = parse(leaf.certificate_pem);
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store{X509_STORE_new(),
                                                                        X509_STORE_free};
    X509_STORE_add_cert(store.get(), trusted.get());
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context{
        X509_STORE_CTX_new(), X509_STORE_CTX_free};
    X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
    X509_VERIFY_PARAM* asked = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_purpose(asked, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(asked, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_verify_cert(context.get());
    return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

bool is_critical(X509* certificate, int nid) {
    const int at = X509_get_ext_by_NID(certificate, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) == 1;
}

TEST(IssueCa, MakesOneThatMaySignLeavesOnly) {
    const auto ca = make_ca();
    EXPECT_THAT(inspect_authority({ca.certificate_pem, ca.key_pem}, kNow).findings, IsEmpty());
    const auto certificate = parse(ca.certificate_pem);
    EXPECT_EQ(X509_get_pathlen(certificate.get()), 0);
    EXPECT_EQ(X509_get_key_usage(certificate.get()),
              static_cast<std::uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
    EXPECT_TRUE(is_critical(certificate.get(), NID_basic_constraints));
    EXPECT_TRUE(is_critical(certificate.get(), NID_key_usage));
    EXPECT_NE(X509_get0_subject_key_id(certificate.get()), nullptr);
    const auto details = details_of(ca);
    EXPECT_EQ(details.subject, "CN=ca");
    EXPECT_EQ(details.issuer, "CN=ca");
    EXPECT_EQ(details.key, "EC P-256");
    EXPECT_EQ(details.signature, "ecdsa-with-SHA256");
    EXPECT_EQ(details.not_before, kNow - hours{1});
    EXPECT_EQ(details.not_after, kNow + hours{24 * 365});
}

TEST(IssueLeaf, MakesOneForServers) {
    const auto ca = make_ca();
    const auto leaf = issue_leaf(request(), ca);
    ASSERT_TRUE(leaf) << leaf.error().message;
    EXPECT_EQ(verify(ca, *leaf), "ok");
    EXPECT_THAT(inspect({leaf->certificate_pem, leaf->key_pem}, {{"svc.ns.svc"}, kNow}).findings,
                IsEmpty());
    const auto certificate = parse(leaf->certificate_pem);
    EXPECT_EQ(X509_get_key_usage(certificate.get()),
              static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE));
    EXPECT_TRUE(is_critical(certificate.get(), NID_basic_constraints));
    EXPECT_TRUE(is_critical(certificate.get(), NID_key_usage));
    EXPECT_NE(X509_get0_subject_key_id(certificate.get()), nullptr);
    EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(certificate.get()),
                                    X509_get0_subject_key_id(parse(ca.certificate_pem).get())),
              0);
    const auto details = details_of(*leaf);
    EXPECT_EQ(details.subject, "CN=svc");
    EXPECT_EQ(details.issuer, "CN=ca");
    EXPECT_THAT(details.names, testing::ElementsAreArray(kNames));
    EXPECT_THAT(details.usages, ElementsAre("serverAuth"));
    EXPECT_EQ(details.key, "EC P-256");
    EXPECT_FALSE(details.is_ca);
    EXPECT_EQ(details.not_before, kNow - hours{1});
    EXPECT_EQ(details.not_after, kNow + hours{168});
}

TEST(IssueLeaf, SignsWithACaThatWasKept) {
    const auto ca = make_ca();
    const Issued kept{"# the CA\n" + ca.certificate_pem, "# its key\n" + ca.key_pem};
    const auto one = issue_leaf(request(), kept);
    const auto two = issue_leaf(request(), kept);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(verify(ca, *one), "ok");
    EXPECT_EQ(verify(ca, *two), "ok");
    EXPECT_NE(one->key_pem, two->key_pem);
}

TEST(IssueLeaf, SignsWithCasOfOtherKinds) {
    for (const auto& [kind, curve] : {std::pair<const char*, const char*>{"ED25519", nullptr},
                                      {"EC", "P-384"},
                                      {"RSA", nullptr}}) {
        const test::KeyPtr key{curve != nullptr
                                   ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind, curve)
                                   : EVP_PKEY_Q_keygen(nullptr, nullptr, kind, std::size_t{2048}),
                               EVP_PKEY_free};
        const auto root_key = test::make_key();
        const test::Issuer root{test::issue({.is_ca = true}, root_key), root_key};
        const Issued ca{
            test::to_pem(test::issue({.common_name = kind, .extended_key_usage = "", .is_ca = true},
                                     key, &root)),
            test::to_pem(key)};
        const auto leaf = issue_leaf(request(), ca);
        ASSERT_TRUE(leaf) << kind << ": " << leaf.error().message;
        EXPECT_TRUE(believes({ca.certificate_pem, "svc.ns.svc", kNow}, leaf->certificate_pem))
            << kind;
    }
}

TEST(IssueLeaf, NeverOutlivesItsCa) {
    const auto ca = make_ca(hours{24});
    EXPECT_EQ(details_of(issue_leaf(request(), ca).value()).not_after, kNow + hours{24});
}

TEST(IssueLeaf, TakesEachSerialAtRandom) {
    const auto ca = make_ca();
    std::set<std::string> serials;
    for (int count = 0; count < 50; ++count) {
        const auto serial = details_of(issue_leaf(request(), ca).value()).serial;
        EXPECT_TRUE(serials.insert(serial).second);
        EXPECT_GE(serial.size(), 24U) << "of 128 random bits 32 are not all zero";
        EXPECT_LE(serial.size(), 32U);
    }
}

struct Refusal {
    const char* what;
    std::function<void(LeafRequest&, Issued&)> spoil;
    const char* says;
};

TEST(IssueLeaf, RefusesWhatMakesNoSense) {
    const Refusal refusals[]{
        {"no name", [](auto& leaf, auto&) { leaf.names.clear(); }, "at least one name"},
        {"an empty name", [](auto& leaf, auto&) { leaf.names.emplace_back(); }, "\"\" is neither"},
        {"a smuggled name", [](auto& leaf, auto&) { leaf.names.emplace_back("a,IP:1.2.3.4"); },
         "\"a,IP:1.2.3.4\" is neither a DNS name nor an IP address"},
        {"an empty label", [](auto& leaf, auto&) { leaf.names.emplace_back("a..b"); }, "\"a..b\""},
        {"a dot in front", [](auto& leaf, auto&) { leaf.names.emplace_back(".a"); }, "\".a\""},
        {"a dot at the end", [](auto& leaf, auto&) { leaf.names.emplace_back("a."); }, "\"a.\""},
        {"a star alone", [](auto& leaf, auto&) { leaf.names.emplace_back("*"); }, "\"*\""},
        {"an address that is none",
         [](auto& leaf, auto&) { leaf.names.emplace_back("10.0.0.256"); },
         "\"10.0.0.256\" is neither a DNS name nor an IP address"},
        {"a number at the end", [](auto& leaf, auto&) { leaf.names.emplace_back("a.1"); },
         "\"a.1\""},
        {"a number alone", [](auto& leaf, auto&) { leaf.names.emplace_back("1"); }, "\"1\""},
        {"a long label", [](auto& leaf, auto&) { leaf.names.push_back(std::string(64, 'a')); },
         "is neither"},
        {"a long common name", [](auto& leaf, auto&) { leaf.common_name = std::string(65, 'a'); },
         "its common name must have 1 to 64 bytes, and has 65"},
        {"no common name", [](auto& leaf, auto&) { leaf.common_name.clear(); }, "common name"},
        {"no life", [](auto& leaf, auto&) { leaf.lifetime = {}; }, "lifetime"},
        {"another's key", [](auto&, auto& ca) { ca.key_pem = make_ca().key_pem; },
         "the private key does not belong to the CA (CN=ca)"},
        {"no key", [](auto&, auto& ca) { ca.key_pem.clear(); }, "no PEM private key"},
        {"no CA", [](auto&, auto& ca) { ca.certificate_pem.clear(); }, "no PEM certificate"},
        {"a leaf as the CA", [](auto& leaf, auto& ca) { ca = issue_leaf(leaf, ca).value(); },
         "is no CA"},
        {"an expired CA", [](auto& leaf, auto&) { leaf.now += hours{24 * 366}; },
         "the CA (CN=ca) expired at"},
    };
    for (const auto& [what, spoil, says] : refusals) {
        auto ca = make_ca();
        auto leaf = request();
        spoil(leaf, ca);
        const auto issued = issue_leaf(leaf, ca);
        ASSERT_FALSE(issued) << what;
        EXPECT_EQ(issued.error().code, Code::BadRequest) << what;
        EXPECT_THAT(issued.error().message, HasSubstr(says)) << what;
    }
}

TEST(IssueCa, RefusesWhatMakesNoSense) {
    EXPECT_FALSE(issue_ca({"", kNow, hours{1}}));
    EXPECT_FALSE(issue_ca({std::string(65, 'a'), kNow, hours{1}}));
    EXPECT_FALSE(issue_ca({"ca", kNow, hours{0}}));
}

TEST(MakeCaName, IsAnotherEachTime) {
    EXPECT_THAT(make_ca_name(), testing::MatchesRegex("stateful-migration-webhook-ca-[0-9a-f]+"));
    EXPECT_NE(make_ca_name(), make_ca_name());
}

TEST(DnsNames, BeginWithWhatApiServersAskFor) {
    EXPECT_THAT(dns_names({"svc", "ns", "example.org"}),
                ElementsAre("svc.ns.svc", "svc.ns", "svc", "svc.ns.svc.example.org"));
}

TEST(DnsNames, DoNotEndInANumber) {
    const auto names = dns_names({"svc", "123"});
    EXPECT_THAT(names, ElementsAre("svc.123.svc", "svc", "svc.123.svc.cluster.local"));
    EXPECT_TRUE(issue_leaf({"svc", names, kNow, hours{1}}, make_ca()));
    EXPECT_TRUE(issue_leaf({"svc", {"1a.2b", "10.example.com"}, kNow, hours{1}}, make_ca()));
}

}  // namespace
}  // namespace smw::tls
