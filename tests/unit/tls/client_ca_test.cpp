#include "smw/tls/client_ca.hpp"

#include "support/certificates.hpp"
#include "unit/tls/extensions.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::tls {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WallTime kNow = std::chrono::system_clock::now();

std::string ca_pem(WallTime not_before = kNow - hours{1}, WallTime not_after = kNow + hours{999}) {
    test::CertificateSpec spec;
    spec.is_ca = true;
    spec.not_before = not_before;
    spec.not_after = not_after;
    return test::to_pem(test::issue(spec, test::make_key()));
}

std::string problem_of(const std::string& pem) {
    const auto ca = ClientCa::make(pem, kNow);
    return ca ? "none" : ca.error().message;
}

WallTime whole_seconds(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time);
}

TEST(ClientCa, TakesEveryCertificateOfTheText) {
    const auto ca = ClientCa::make(ca_pem() + "\n# the next one\n" + ca_pem(), kNow);
    ASSERT_TRUE(ca) << ca.error().message;
    EXPECT_THAT((*ca)->warnings(), IsEmpty());
    EXPECT_TRUE((*ca)->validity(kNow));
    const auto twice = ca_pem();
    EXPECT_EQ(problem_of(twice + twice), "none");
}

TEST(ClientCa, SaysWhatIsWrongWithTheText) {
    const auto pem = ca_pem();
    EXPECT_EQ(problem_of(""), "the client CA holds no certificate");
    EXPECT_EQ(problem_of("garbage"), "the client CA holds no certificate");
    EXPECT_EQ(problem_of(test::to_pem(test::make_key())), "the client CA holds no certificate");
    EXPECT_THAT(problem_of(pem.substr(0, pem.size() / 2)),
                HasSubstr("certificate number 1 of the client CA cannot be read: it breaks off"));
    EXPECT_THAT(problem_of(pem + pem.substr(0, pem.size() / 2)),
                HasSubstr("certificate number 2 of the client CA cannot be read"));
    auto broken = pem;
    broken.replace(100, 8, "********");
    EXPECT_THAT(problem_of(broken), HasSubstr("certificate number 1"));
}

TEST(ClientCa, IsValidWhileOneOfThemIs) {
    const auto past = ca_pem(kNow - hours{9}, kNow - hours{2});
    const auto older = ca_pem(kNow - hours{9}, kNow - hours{3});
    const auto future = ca_pem(kNow + hours{2}, kNow + hours{900});
    const auto later = ca_pem(kNow + hours{3}, kNow + hours{900});
    const auto validity_of = [](const std::string& pem) {
        const auto valid = (*ClientCa::make(pem, kNow))->validity(kNow);
        return valid ? "valid" : valid.error().message;
    };
    EXPECT_EQ(validity_of(past + ca_pem() + future), "valid");
    EXPECT_THAT(validity_of(past + older), HasSubstr("the client CA expired at 20"));
    EXPECT_EQ(validity_of(past + older), validity_of(past));
    EXPECT_THAT(validity_of(future + later), HasSubstr("the client CA is not valid before 20"));
    EXPECT_EQ(validity_of(past + later + future), validity_of(future));
}

TEST(ClientCa, ExpiresWhenTheFirstOfThemDoes) {
    const auto ca = ClientCa::make(ca_pem() + ca_pem(kNow - hours{1}, kNow + hours{100}), kNow);
    EXPECT_EQ((*ca)->expiry(), whole_seconds(kNow + hours{100}));
}

TEST(ClientCa, WithoutEndDoesNotOverflow) {
    const auto no_end = std::chrono::system_clock::from_time_t(9'000'000'000);  // 2255
    EXPECT_EQ((*ClientCa::make(ca_pem(kNow, no_end), kNow))->expiry(), no_end);
}

TEST(ClientCa, WarnsOfWhatIsSuspicious) {
    const auto leaf = test::make_pair().chain_pem;
    const auto ca = ClientCa::make(ca_pem() + leaf + ca_pem(kNow - hours{9}, kNow - hours{1}) +
                                       ca_pem(kNow + hours{1}, kNow + hours{9}) +
                                       ca_pem(kNow - hours{1}, kNow + hours{71}),
                                   kNow);
    ASSERT_TRUE(ca);
    EXPECT_THAT((*ca)->warnings(),
                ElementsAre("certificate number 2 is no CA (its basicConstraints lack CA:TRUE): "
                            "it verifies only who has this very certificate",
                            HasSubstr("certificate number 3 expired at 20"),
                            HasSubstr("certificate number 4 is not valid before 20"),
                            HasSubstr("certificate number 5 expires within 72 hours, at 20")));
}

TEST(ClientCa, WarnsOfOneThatMayNotSign) {
    test::CertificateSpec spec;
    spec.is_ca = true;
    const auto key = test::make_key();
    const auto warnings_of = [](const test::CertificatePtr& certificate) {
        return (*ClientCa::make(test::to_pem(certificate), kNow))->warnings();
    };
    EXPECT_THAT(warnings_of(test::with_key_usage(test::issue(spec, key), "keyCertSign", key)),
                IsEmpty());
    EXPECT_THAT(warnings_of(test::with_key_usage(test::issue(spec, key), "cRLSign", key)),
                ElementsAre("certificate number 1 may not sign certificates (its keyUsage lacks "
                            "keyCertSign): it verifies only who has this very certificate"));
    auto plain = test::without_extension(test::issue(spec, key), NID_basic_constraints, key);
    EXPECT_THAT(warnings_of(plain), ElementsAre(HasSubstr("is no CA")));
    EXPECT_THAT(warnings_of(test::with_key_usage(plain, "keyCertSign", key)),
                ElementsAre(HasSubstr("is no CA")));
    X509_set_version(plain.get(), X509_VERSION_1);
    while (X509_get_ext_count(plain.get()) > 0) {
        X509_EXTENSION_free(X509_delete_ext(plain.get(), 0));
    }
    X509_sign(plain.get(), key.get(), EVP_sha256());
    EXPECT_THAT(warnings_of(plain), IsEmpty()) << "a root from before there were extensions";
}

}  // namespace
}  // namespace smw::tls
