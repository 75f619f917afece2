#include "smw/cert_rotation/bundle.hpp"

#include "smw/tls/issue.hpp"

#include <gtest/gtest.h>

namespace smw::cert_rotation {
namespace {

tls::Issued ca(const std::string& name) {
    return tls::issue_ca({name, std::chrono::system_clock::now(), std::chrono::hours{24}}).value();
}

struct Texts {
    tls::Issued issued = ca("used");
    std::string used = issued.certificate_pem;
    std::string next = ca("next").certificate_pem;
    std::string old = ca("old").certificate_pem;
    std::string stranger = ca("stranger").certificate_pem;
    Target target{Bundle::parse(used + next), Bundle::parse(old)};

    [[nodiscard]] bool are_met_by(const std::string& text) const {
        return target.is_met_by(Bundle::parse(text));
    }
};

TEST(Bundle, HasEachCertificateOnce) {
    const Texts texts;
    const auto bundle = Bundle::parse(texts.used + texts.next + texts.used);
    EXPECT_EQ(bundle.certificates().size(), 2U);
    EXPECT_EQ(bundle.pem(), texts.used + texts.next);
    EXPECT_TRUE(Bundle::parse("").empty());
}

TEST(Bundle, NeverTakesAKeyOver) {
    const Texts texts;
    const auto bundle = Bundle::parse(texts.issued.key_pem + texts.used);
    EXPECT_TRUE(bundle.has_other_pem());
    EXPECT_EQ(bundle.pem(), texts.used);
}

TEST(Target, IsMetByTheSameCertificates) {
    const Texts texts;
    EXPECT_TRUE(texts.are_met_by(texts.used + texts.next));
    EXPECT_TRUE(texts.are_met_by(texts.next + "# and\n" + texts.used + texts.next));
    EXPECT_TRUE(texts.are_met_by(texts.target.pem()));
}

TEST(Target, IsMetWithOrWithoutWhatMayStay) {
    const Texts texts;
    EXPECT_TRUE(texts.are_met_by(texts.old + texts.used + texts.next));
    EXPECT_EQ(texts.target.pem(), texts.used + texts.next + texts.old);
}

TEST(Target, IsNotMetByLessOrMore) {
    const Texts texts;
    EXPECT_FALSE(texts.are_met_by(""));
    EXPECT_FALSE(texts.are_met_by(texts.used));
    EXPECT_FALSE(texts.are_met_by(texts.used + texts.old));
    EXPECT_FALSE(texts.are_met_by(texts.used + texts.next + texts.stranger));
    EXPECT_FALSE(texts.are_met_by(texts.used + texts.next + texts.issued.key_pem));
    EXPECT_FALSE(texts.are_met_by("-----BEGIN CERTIFICATE-----\n" + texts.used + texts.next));
}

}  // namespace
}  // namespace smw::cert_rotation
