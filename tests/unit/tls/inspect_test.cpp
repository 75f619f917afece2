#include "smw/tls/inspect.hpp"

#include "smw/tls/identity.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstring>
#include <functional>
#include <ostream>
#include <set>
#include <string>

namespace smw::tls {

void PrintTo(const Finding& finding, std::ostream* out) {
    *out << to_string(finding.severity) << " [" << to_string(finding.rule) << "] " << finding.text;
}

namespace {

using std::chrono::hours;
using test::CertificateSpec;
using test::Issuer;
using test::KeyKind;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const WallTime kNow = std::chrono::system_clock::now();
const std::string kName = "svc.ns.svc";

test::KeyPtr named_key(const char* kind, const char* curve = nullptr) {
    return {curve == nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind)
                             : EVP_PKEY_Q_keygen(nullptr, nullptr, kind, curve),
            EVP_PKEY_free};
}

test::KeyPtr rsa_key(unsigned bits) {
    return {EVP_RSA_gen(bits), EVP_PKEY_free};
}

CertificateSpec good_spec() {
    CertificateSpec spec;
    spec.san = "DNS:" + kName;
    return spec;
}

Issuer make_ca(const std::string& name, const Issuer* parent = nullptr,
               CertificateSpec spec = {.is_ca = true}) {
    spec.common_name = name;
    spec.san = "";
    spec.extended_key_usage = "";
    const auto key = test::make_key();
    return {test::issue(spec, key, parent), key};
}

/// A root, an intermediate, a leaf of its own.
struct Family {
    Issuer root = make_ca("root");
    Issuer middle = make_ca("middle", &root);
    test::KeyPtr key = test::make_key();
    std::string leaf_pem = test::to_pem(test::issue(good_spec(), key, &middle));
    std::string middle_pem = test::to_pem(middle.certificate);
    std::string root_pem = test::to_pem(root.certificate);
    std::string key_pem = test::to_pem(key);
};

std::vector<Finding> findings_of(const std::string& chain, std::optional<std::string> key) {
    return inspect({chain, std::move(key)}, {{kName}, kNow}).findings;
}

std::vector<Finding> findings_of(const test::Pair& pair) {
    return findings_of(pair.chain_pem, pair.key_pem);
}

auto found(Severity severity, Rule rule, const std::string& text) {
    return AllOf(Field(&Finding::severity, severity), Field(&Finding::rule, rule),
                 Field(&Finding::text, HasSubstr(text)));
}
auto refused(Rule rule, const std::string& text) {
    return found(Severity::Refused, rule, text);
}
auto suspicious(Rule rule, const std::string& text) {
    return found(Severity::Suspicious, rule, text);
}

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

struct Bad {
    const char* name;
    std::function<test::Pair(const Family&)> make;
    testing::Matcher<std::vector<Finding>> says;
};

void PrintTo(const Bad& bad, std::ostream* out) {
    *out << bad.name;
}

class BadMaterial : public testing::TestWithParam<Bad> {};

TEST_P(BadMaterial, IsToldCompletelyAndWithoutAKey) {
    const Family family;
    const auto pair = GetParam().make(family);
    const auto findings = findings_of(pair);
    EXPECT_THAT(findings, GetParam().says);
    EXPECT_EQ(ERR_peek_error(), 0U) << "others read this queue";
    for (const auto& finding : findings) {
        EXPECT_THAT(finding.text, Not(HasSubstr("unknown OpenSSL error")));
        EXPECT_THAT(finding.text, Not(HasSubstr("\n")));
        for (std::size_t at = 0; at + 12 <= pair.key_pem.size(); at += 4) {
            if (pair.key_pem[at] != '-' && pair.key_pem.size() > 60) {
                EXPECT_THAT(finding.text, Not(HasSubstr(pair.key_pem.substr(at, 12))));
            }
        }
    }
}

std::string half(const std::string& text) {
    return text.substr(0, text.size() / 2);
}

std::string damaged(std::string pem) {
    pem.replace(40, 5, "!!!!!");
    return pem;
}

/// Good base64 of something else.
std::string other_content(const std::string& label) {
    return "-----BEGIN " + label + "-----\nAAECAwQFBgcICQ==\n-----END " + label + "-----\n";
}

std::string indented(const std::string& pem) {
    std::string out;
    for (std::size_t at = 0; at < pem.size();) {
        const auto end = pem.find('\n', at);
        out += "    " + pem.substr(at, end - at + 1);
        at = end + 1;
    }
    return out;
}

std::string escaped(const std::string& pem) {
    std::string out;
    for (const char letter : pem) {
        out += letter == '\n' ? "\\n" : std::string{letter};
    }
    return out;
}

/// The public half of another key beside a private one: as when two files were merged by hand.
std::string damaged_key(const Family& family) {
    auto key = family.key_pem;
    // The scalar's bytes come before the public point in PKCS #8.
    const auto at = key.find('\n') + 1 + 60;
    key[at] = key[at] == 'A' ? 'B' : 'A';
    return key;
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BadMaterial,
    testing::Values(
        Bad{"Nothing",
            [](const Family&) {
                return test::Pair{"", ""};
            },
            ElementsAre(refused(Rule::NoCertificate, "in the chain: it is empty"),
                        refused(Rule::NoKey, "in the key file: it is empty"))},
        Bad{"Blanks",
            [](const Family& family) {
                return test::Pair{" \n\t", family.key_pem};
            },
            ElementsAre(refused(Rule::NoCertificate, "it is empty"))},
        Bad{"Words",
            [](const Family&) {
                return test::Pair{"one", "two"};
            },
            ElementsAre(refused(Rule::NoCertificate, "there is no PEM certificate in the chain"),
                        refused(Rule::NoKey, "there is no PEM private key in the key file"))},
        Bad{"Swapped",
            [](const Family& family) {
                return test::Pair{family.key_pem, family.leaf_pem};
            },
            ElementsAre(refused(Rule::NoCertificate, "are the two files swapped?"),
                        refused(Rule::NoKey, "are the two files swapped?"))},
        Bad{"Der",
            [](const Family&) {
                return test::Pair{std::string{"\x30\x82\x01\x00", 4},
                                  std::string{"\x30\x81\x01\x00", 4}};
            },
            ElementsAre(refused(Rule::NoCertificate, "openssl x509 -inform der makes PEM of DER"),
                        refused(Rule::NoKey, "openssl pkey -inform der makes PEM of DER"))},
        Bad{"Base64OfPem",
            [](const Family& family) {
                return test::Pair{"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", family.key_pem};
            },
            ElementsAre(refused(Rule::NoCertificate, "decode it first (base64 -d)"))},
        Bad{"Utf16",
            [](const Family& family) {
                return test::Pair{"\xff\xfe-", family.key_pem};
            },
            ElementsAre(refused(Rule::NoCertificate, "it is UTF-16 text"))},
        Bad{"Indented",
            [](const Family& family) {
                return test::Pair{indented(family.leaf_pem), indented(family.key_pem)};
            },
            ElementsAre(refused(Rule::NoCertificate, "BEGIN line has blanks"),
                        refused(Rule::NoKey, "BEGIN line has blanks"))},
        Bad{"ByteOrderMark",
            [](const Family& family) {
                return test::Pair{"\xef\xbb\xbf" + family.leaf_pem, family.key_pem};
            },
            ElementsAre(refused(Rule::NoCertificate, "blanks or other bytes before it"))},
        Bad{"EscapedLineEnds",
            [](const Family& family) {
                return test::Pair{escaped(family.leaf_pem), family.key_pem};
            },
            ElementsAre(refused(Rule::NoCertificate, "written as \\n"))},
        Bad{"ChainCutShort",
            [](const Family& family) {
                return test::Pair{half(family.leaf_pem), family.key_pem};
            },
            ElementsAre(refused(Rule::UnreadableCertificate,
                                "certificate number 1 cannot be read: it breaks off: its END line "
                                "is missing"))},
        Bad{"ChainDamaged",
            [](const Family& family) {
                return test::Pair{damaged(family.leaf_pem), family.key_pem};
            },
            ElementsAre(refused(Rule::UnreadableCertificate, "its text is damaged"))},
        Bad{"SecondAndThirdDamaged",
            [](const Family& family) {
                return test::Pair{
                    family.leaf_pem + damaged(family.middle_pem) + half(family.root_pem),
                    family.key_pem};
            },
            ElementsAre(refused(Rule::UnreadableCertificate, "certificate number 2"),
                        refused(Rule::UnreadableCertificate, "certificate number 3"))},
        Bad{"OtherContent",
            [](const Family& family) {
                return test::Pair{other_content("CERTIFICATE"), family.key_pem};
            },
            ElementsAre(refused(Rule::UnreadableCertificate, "what is inside is no certificate"))},
        Bad{"OtherEnd",
            [](const Family& family) {
                auto chain = family.leaf_pem;
                chain.replace(chain.find("END CERT"), 8, "END CART");
                return test::Pair{chain, family.key_pem};
            },
            ElementsAre(refused(Rule::UnreadableCertificate, "BEGIN and END lines do not fit"))}),
    [](const auto& given) { return given.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Keys, BadMaterial,
    testing::Values(
        Bad{"Encrypted",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, test::to_encrypted_pem(family.key, "secret")};
            },
            ElementsAre(refused(Rule::EncryptedKey,
                                "the private key is encrypted; store it without a passphrase, as "
                                "openssl pkey -in encrypted.key -out tls.key writes it"))},
        Bad{"EncryptedAsBefore",
            [](const Family& family) {
                return test::Pair{family.leaf_pem,
                                  "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                  "DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE "
                                  "KEY-----\n"};
            },
            ElementsAre(refused(Rule::EncryptedKey, "encrypted"))},
        Bad{"CutShort",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, half(family.key_pem)};
            },
            ElementsAre(refused(Rule::UnreadableKey,
                                "the private key cannot be read: it breaks "
                                "off"))},
        Bad{"TextDamaged",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, damaged(family.key_pem)};
            },
            ElementsAre(refused(Rule::UnreadableKey, "its text is damaged"))},
        Bad{"OtherContentInKey",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, other_content("PRIVATE KEY")};
            },
            ElementsAre(refused(Rule::UnreadableKey, "the private key cannot be read"))},
        Bad{"PublicKey",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, other_content("PUBLIC KEY")};
            },
            ElementsAre(refused(Rule::NoKey, "only a public one"))},
        Bad{"OpenSsh",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, other_content("OPENSSH PRIVATE KEY")};
            },
            ElementsAre(refused(Rule::UnreadableKey, "ssh-keygen -p -m PEM"))},
        Bad{"OfAnother",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, test::to_pem(test::make_key())};
            },
            ElementsAre(refused(Rule::ForeignKey,
                                "the private key does not belong to the first certificate"))},
        Bad{"OfAnotherKind",
            [](const Family& family) {
                return test::Pair{family.leaf_pem + family.middle_pem,
                                  test::to_pem(named_key("ED25519"))};
            },
            ElementsAre(refused(Rule::ForeignKey, "nor to another"))},
        Bad{"HalvesThatDoNotFit",
            [](const Family& family) {
                return test::Pair{family.leaf_pem, damaged_key(family)};
            },
            ElementsAre(refused(Rule::DamagedKey, "the private key is damaged"))}),
    [](const auto& given) { return given.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Chains, BadMaterial,
    testing::Values(
        Bad{"LeafLast",
            [](const Family& family) {
                return test::Pair{family.root_pem + family.middle_pem + family.leaf_pem,
                                  family.key_pem};
            },
            ElementsAre(refused(Rule::LeafNotFirst,
                                "the private key belongs to certificate number 3 of the chain; "
                                "the server's own must come first: write them in the order 3, 2, "
                                "1"))},
        Bad{"LeafInTheMiddle",
            [](const Family& family) {
                return test::Pair{family.root_pem + family.leaf_pem + family.middle_pem,
                                  family.key_pem};
            },
            ElementsAre(refused(Rule::LeafNotFirst, "in the order 2, 3, 1"))},
        Bad{"IssuersSwapped",
            [](const Family& family) {
                return test::Pair{family.leaf_pem + family.root_pem + family.middle_pem,
                                  family.key_pem};
            },
            ElementsAre(suspicious(Rule::WrongOrder, "write them in the order 1, 3, 2"))},
        Bad{"Stranger",
            [](const Family& family) {
                return test::Pair{family.leaf_pem + family.middle_pem +
                                      test::to_pem(make_ca("stranger").certificate),
                                  family.key_pem};
            },
            ElementsAre(suspicious(Rule::NotNeeded,
                                   "certificate number 3 of the chain "
                                   "(CN=stranger)"))},
        Bad{"LeafTwice",
            [](const Family& family) {
                return test::Pair{family.leaf_pem + family.leaf_pem, family.key_pem};
            },
            ElementsAre(suspicious(Rule::NotNeeded, "leave it out"))},
        Bad{"IssuerOfTheSameName",
            [](const Family& family) {
                return test::Pair{family.leaf_pem + test::to_pem(make_ca("middle").certificate),
                                  family.key_pem};
            },
            ElementsAre(suspicious(Rule::NotNeeded, "number 2"))},
        Bad{"CaWithoutCaBit",
            [](const Family& family) {
                const auto no_ca = make_ca("no-ca", &family.root, {.is_ca = false});
                return test::Pair{test::to_pem(test::issue(good_spec(), family.key, &no_ca)) +
                                      test::to_pem(no_ca.certificate),
                                  family.key_pem};
            },
            ElementsAre(suspicious(Rule::NotACa, "number 2 of the chain (CN=no-ca) is no CA"))},
        Bad{"ExpiredIssuer",
            [](const Family& family) {
                const auto old =
                    make_ca("old", &family.root, {.not_after = kNow - hours{1}, .is_ca = true});
                return test::Pair{test::to_pem(test::issue(good_spec(), family.key, &old)) +
                                      test::to_pem(old.certificate),
                                  family.key_pem};
            },
            ElementsAre(suspicious(Rule::Expired, "number 2 of the chain (CN=old) expired at"))},
        Bad{"IssuerSignedWithSha1",
            [](const Family& family) {
                const auto weak = make_ca("weak", &family.root, {.sha1 = true, .is_ca = true});
                return test::Pair{test::to_pem(test::issue(good_spec(), family.key, &weak)) +
                                      test::to_pem(weak.certificate),
                                  family.key_pem};
            },
            ElementsAre(suspicious(Rule::WeakSignature, "number 2 of the chain (CN=weak)"))}),
    [](const auto& given) { return given.param.name; });

test::Pair leaf_with(CertificateSpec spec) {
    return test::make_pair(spec);
}

CertificateSpec with(const std::function<void(CertificateSpec&)>& change) {
    auto spec = good_spec();
    change(spec);
    return spec;
}

INSTANTIATE_TEST_SUITE_P(
    Leaves, BadMaterial,
    testing::Values(
        Bad{"ForClientsOnly",
            [](const Family&) {
                return leaf_with(with([](auto& spec) { spec.extended_key_usage = "clientAuth"; }));
            },
            ElementsAre(refused(Rule::NotForServers,
                                "serverAuth is not among its extended key "
                                "usages (clientAuth)"))},
        Bad{"Expired",
            [](const Family&) {
                return leaf_with(with([](auto& spec) { spec.not_after = kNow - hours{1}; }));
            },
            ElementsAre(refused(Rule::Expired, "the certificate expired at 20"))},
        Bad{"NotYetValid",
            [](const Family&) {
                return leaf_with(with([](auto& spec) { spec.not_before = kNow + hours{1}; }));
            },
            ElementsAre(refused(Rule::NotYetValid, "the certificate is not valid before 20"))},
        Bad{"ExpiresSoon",
            [](const Family&) {
                return leaf_with(with([](auto& spec) { spec.not_after = kNow + hours{71}; }));
            },
            ElementsAre(suspicious(Rule::ExpiresSoon, "it expires within 72 hours, at 20"))},
        Bad{"OtherName",
            [](const Family&) { return leaf_with(with([](auto& spec) { spec.san = "DNS:svc"; })); },
            ElementsAre(suspicious(Rule::MissingName,
                                   "it has no SAN svc.ns.svc, which the API server asks for"))},
        Bad{"CommonNameOnly",
            [](const Family&) {
                return leaf_with(with([](auto& spec) {
                    spec.common_name = kName;
                    spec.san = "";
                }));
            },
            ElementsAre(suspicious(Rule::MissingName, kName))},
        Bad{"SmallRsa",
            [](const Family&) { return test::make_pair(good_spec(), KeyKind::Rsa1024); },
            ElementsAre(suspicious(Rule::SmallKey, "its RSA key has only 1024 bits"))},
        Bad{"Sha1",
            [](const Family&) { return leaf_with(with([](auto& spec) { spec.sha1 = true; })); },
            ElementsAre(suspicious(Rule::WeakSignature,
                                   "it is signed with SHA-1, which API servers refuse"))},
        Bad{"UnusualCurve",
            [](const Family& family) {
                const auto key = named_key("EC", "secp256k1");
                return test::Pair{test::to_pem(test::issue(good_spec(), key, &family.middle)),
                                  test::to_pem(key)};
            },
            ElementsAre(suspicious(Rule::UnusualKey,
                                   "its key (EC secp256k1) is of a kind that "
                                   "API servers cannot use"))},
        Bad{"AllAtOnce",
            [](const Family&) {
                auto pair = leaf_with(with([](auto& spec) {
                    spec.san = "";
                    spec.extended_key_usage = "clientAuth";
                    spec.not_after = kNow - hours{1};
                    spec.sha1 = true;
                }));
                pair.key_pem = test::to_pem(test::make_key());
                return pair;
            },
            UnorderedElementsAre(refused(Rule::ForeignKey, ""), refused(Rule::NotForServers, ""),
                                 refused(Rule::Expired, ""), suspicious(Rule::MissingName, ""),
                                 suspicious(Rule::WeakSignature, ""))}),
    [](const auto& given) { return given.param.name; });

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
