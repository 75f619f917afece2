// What people put into the files, by tables.

#include "unit/tls/inspect_world.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include <functional>
#include <ostream>
#include <string>

namespace smw::tls {
namespace {

using std::chrono::hours;
using test::CertificateSpec;
using test::KeyKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

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
            ElementsAre(suspicious(Rule::ExpiresSoon,
                                   "the certificate expires within 72 hours, at 20"))},
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

}  // namespace
}  // namespace smw::tls
