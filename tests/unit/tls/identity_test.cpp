#include "smw/tls/identity.hpp"

#include "support/certificates.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::tls {
namespace {

using std::chrono::hours;
using test::CertificateSpec;
using test::KeyKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WallTime kNow = std::chrono::system_clock::now();

Expected<Identity> judge(const test::Pair& pair, std::vector<std::string> names = {}) {
    return make_identity(pair.chain_pem, pair.key_pem, {std::move(names), kNow});
}

TEST(Identity, OfAGoodPairIsTaken) {
    CertificateSpec spec;
    spec.san = "DNS:svc.ns.svc,IP:10.0.0.1,IP:fd00::1,email:a@b.c";
    spec.not_before = WallTime{std::chrono::seconds{1'700'000'000}};
    spec.not_after = kNow + hours{1000};
    const auto pair = test::make_pair(spec);
    const auto identity = judge(pair, {"svc.ns.svc"});
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_THAT(identity->names, ElementsAre("svc.ns.svc", "10.0.0.1", "fd00::1"));
    EXPECT_THAT(identity->warnings, IsEmpty());
    EXPECT_EQ(identity->not_before, spec.not_before);
    EXPECT_LE(identity->not_after, spec.not_after);
    EXPECT_EQ(identity->chain_pem, pair.chain_pem);
    EXPECT_EQ(identity->key_pem, pair.key_pem);
}

TEST(Identity, TakesWhateverElseIsInTheFiles) {
    const auto key = test::make_key();
    const auto leaf = test::to_pem(test::issue({}, key));
    const auto text = "Bag Attributes: none\nsubject=CN = x\n" + leaf + "trailing words\n";
    EXPECT_TRUE(judge({text, "comment\n" + test::to_pem(key)}));
    EXPECT_TRUE(judge({test::to_pem(key) + leaf, test::to_pem(key) + leaf}))
        << "key and chain in one file, as some tools write them";
}

struct Bad {
    const char* name;
    std::function<test::Pair()> make;
    const char* says;
};

class BadPair : public testing::TestWithParam<Bad> {};

TEST_P(BadPair, IsRefusedWithASentenceThatHelps) {
    const auto identity = judge(GetParam().make());
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, Code::BadRequest);
    EXPECT_THAT(identity.error().message, HasSubstr(GetParam().says));
}

test::Pair with_chain(std::string chain) {
    return {std::move(chain), test::make_pair().key_pem};
}

test::Pair with_key(std::string key) {
    return {test::make_pair().chain_pem, std::move(key)};
}

test::Pair in_wrong_order() {
    const test::Issuer ca{test::issue({.common_name = "ca", .is_ca = true}, test::make_key()),
                          test::make_key()};
    const auto key = test::make_key();
    const auto leaf = test::issue({}, key, &ca);
    return {test::to_pem(ca.certificate) + test::to_pem(leaf), test::to_pem(key)};
}

std::string cut_in_half(const std::string& text) {
    return text.substr(0, text.size() / 2);
}

std::string with_second_broken() {
    auto broken = test::make_pair().chain_pem;
    broken.replace(40, 5, "!!!!!");
    return test::make_pair().chain_pem + broken;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, BadPair,
    testing::Values(
        Bad{"EmptyChain", [] { return with_chain(""); }, "there is no PEM certificate"},
        Bad{"ChainOfWords", [] { return with_chain("not a certificate"); },
            "there is no PEM certificate"},
        Bad{"ChainInDer",
            [] {
                return with_chain(std::string{"\x30\x82\x01\x00", 4});
            },
            "there is no PEM certificate"},
        Bad{"ChainThatIsAKey", [] { return with_chain(test::make_pair().key_pem); },
            "there is no PEM certificate"},
        Bad{"ChainCutShort", [] { return with_chain(cut_in_half(test::make_pair().chain_pem)); },
            "certificate number 1 cannot be read"},
        Bad{"SecondCertificateBroken", [] { return with_chain(with_second_broken()); },
            "certificate number 2 cannot be read"},
        Bad{"EmptyKey", [] { return with_key(""); }, "there is no PEM private key"},
        Bad{"KeyOfWords", [] { return with_key("not a key"); }, "there is no PEM private key"},
        Bad{"KeyThatIsACertificate", [] { return with_key(test::make_pair().chain_pem); },
            "there is no PEM private key"},
        Bad{"KeyCutShort", [] { return with_key(cut_in_half(test::make_pair().key_pem)); },
            "the private key cannot be read"},
        Bad{"EncryptedKey",
            [] { return with_key(test::to_encrypted_pem(test::make_key(), "secret")); },
            "the private key is encrypted; store it without a passphrase"},
        Bad{"KeyOfAnother", [] { return with_key(test::make_pair().key_pem); },
            "the private key does not belong to the first certificate"},
        Bad{"KeyOfAnotherKind",
            [] { return with_key(test::to_pem(test::make_key(KeyKind::Rsa2048))); },
            "the private key does not belong to the first certificate"},
        Bad{"ChainInWrongOrder", [] { return in_wrong_order(); },
            "the private key belongs to certificate number 2 of the chain; the server's own must "
            "come first"},
        Bad{"ForClientsOnly", [] { return test::make_pair({.extended_key_usage = "clientAuth"}); },
            "serverAuth is not among its extended key usages"}),
    [](const auto& given) { return given.param.name; });

TEST(Identity, NeedsNoExtendedKeyUsage) {
    EXPECT_TRUE(judge(test::make_pair({.extended_key_usage = ""})));
    EXPECT_TRUE(judge(test::make_pair({.extended_key_usage = "anyExtendedKeyUsage"})));
    EXPECT_TRUE(judge(test::make_pair({.extended_key_usage = "clientAuth,serverAuth"})));
}

TEST(Identity, WarnsWhenTheNameThatIsAskedForIsMissing) {
    const std::vector<std::string> names{"svc.ns.svc", "svc.ns", "svc"};
    struct Case {
        const char* san;
        bool good;
    };
    for (const auto& given :
         {Case{"DNS:svc.ns.svc", true}, Case{"DNS:SVC.ns.svc", true}, Case{"DNS:*.ns.svc", true},
          Case{"DNS:x,DNS:svc.ns.svc", true}, Case{"DNS:svc", false}, Case{"DNS:svc.ns", false},
          Case{"DNS:*.svc", false}, Case{"IP:10.0.0.1", false}, Case{"", false}}) {
        const auto identity =
            judge(test::make_pair({.common_name = "svc.ns.svc", .san = given.san}), names);
        ASSERT_TRUE(identity) << given.san;
        if (given.good) {
            EXPECT_THAT(identity->warnings, IsEmpty()) << given.san;
        } else {
            EXPECT_THAT(identity->warnings,
                        ElementsAre("it has no SAN svc.ns.svc, which the API server asks for"))
                << given.san;
        }
    }
    const auto address = judge(test::make_pair({.san = "IP:127.0.0.1"}), {"127.0.0.1"});
    ASSERT_TRUE(address);
    EXPECT_THAT(address->warnings, IsEmpty());
}

TEST(Identity, WarnsOfWeakness) {
    const auto soon = judge(test::make_pair({.not_after = kNow + hours{71}}));
    ASSERT_TRUE(soon);
    EXPECT_THAT(soon->warnings, ElementsAre(HasSubstr("the certificate expires within 72 hours")));

    const auto rsa = judge(test::make_pair({}, KeyKind::Rsa1024));
    ASSERT_TRUE(rsa);
    EXPECT_THAT(rsa->warnings, ElementsAre("its RSA key has only 1024 bits"));
    EXPECT_THAT(judge(test::make_pair({}, KeyKind::Rsa2048))->warnings, IsEmpty());

    const auto sha1 = judge(test::make_pair({.sha1 = true}));
    ASSERT_TRUE(sha1);
    EXPECT_THAT(sha1->warnings, ElementsAre("it is signed with SHA-1, which API servers refuse"));
}

TEST(Validity, NamesTheDates) {
    Identity identity;
    identity.not_before = WallTime{std::chrono::seconds{1'700'000'000}};
    identity.not_after = WallTime{std::chrono::seconds{1'800'000'000}};
    EXPECT_TRUE(validity(identity, identity.not_before));
    EXPECT_TRUE(validity(identity, identity.not_after - std::chrono::seconds{1}));
    const auto late = validity(identity, identity.not_after);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().message, "the certificate expired at 2027-01-15T08:00:00Z");
    const auto early = validity(identity, identity.not_before - std::chrono::seconds{1});
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().message, "the certificate is not valid before 2023-11-14T22:13:20Z");
}

}  // namespace
}  // namespace smw::tls
