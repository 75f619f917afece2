// What `certs issue` thinks of certificates that it did not make.

#include "support/certificates.hpp"
#include "unit/cli/certs_issue_world.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

namespace smw::cli {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::Not;
using CertsPlan = test::CertsIssue;

WallTime year(int number) {
    using std::chrono::sys_days;
    return sys_days{std::chrono::year{number} / 1 / 1};
}

smw::test::CertificateSpec spec_from(int first_year, int last_year) {
    smw::test::CertificateSpec spec;
    spec.not_before = year(first_year);
    spec.not_after = year(last_year);
    return spec;
}

TEST_F(CertsPlan, KeepsCertificatesOfAnyAge) {
    auto spec = spec_from(1951, 2261);
    spec.is_ca = true;
    spec.san = "";
    spec.common_name = "old";
    spec.extended_key_usage = "";
    const auto ca_key = smw::test::make_key();
    const smw::test::Issuer ca{smw::test::issue(spec, ca_key), ca_key};
    spec = spec_from(1951, 2261);
    spec.san.clear();
    for (const auto& name : tls::dns_names({"stateful-migration-webhook-service", "ns"})) {
        spec.san += (spec.san.empty() ? "DNS:" : ",DNS:") + name;
    }
    const auto key = smw::test::make_key();
    write("d/ca.crt", smw::test::to_pem(ca.certificate));
    write("d/ca.key", smw::test::to_pem(ca_key));
    write("d/tls.crt", smw::test::to_pem(smw::test::issue(spec, key, &ca)));
    write("d/tls.key", smw::test::to_pem(key));
    const auto before = all_in("d");
    ASSERT_EQ(issue(), 0) << err_;
    EXPECT_EQ(all_in("d"), before);
    EXPECT_THAT(out_, HasSubstr("From 2157-")) << "two thirds of 310 years after 1951";
    EXPECT_EQ(run({"inspect", path("d"), "--service-namespace", "ns"}), 0) << out_;
    const auto ancient = smw::test::issue(spec_from(1680, 1681), key);
    EXPECT_EQ(run({"inspect", write("ancient.pem", smw::test::to_pem(ancient))}), 1);
    EXPECT_THAT(out_, HasSubstr("expired 3")) << "more than 300 years ago";
}

TEST_F(CertsPlan, MakesNothingThatCallersWouldNotBelieve) {
    const auto key = smw::test::make_key();
    const auto ca = smw::test::issue({.common_name = "for-clients",
                                      .san = "",
                                      .extended_key_usage = "clientAuth",
                                      .is_ca = true},
                                     key);
    write("ca/ca.crt", smw::test::to_pem(ca));
    write("ca/ca.key", smw::test::to_pem(key));
    EXPECT_EQ(issue({"--ca", path("ca")}), 1);
    EXPECT_THAT(refusal(), HasSubstr("what CN=for-clients signs is not believed: CN=for-clients is "
                                     "not for servers"));
    EXPECT_TRUE(all_in("d").empty());
    const auto before = all_in("ca");
    EXPECT_EQ(issue({}, "ca"), 1);
    EXPECT_EQ(all_in("ca"), before);
}

TEST_F(CertsPlan, TellsOfKeptKeysThatOthersMayRead) {
    ASSERT_EQ(issue(), 0);
    EXPECT_THAT(out_, Not(HasSubstr("note:")));
    using std::filesystem::perms;
    std::filesystem::permissions(path("d/ca.key"), perms{0644});
    std::filesystem::permissions(path("d/tls.key"), perms{0640});
    ASSERT_EQ(issue(), 0);
    EXPECT_THAT(out_, HasSubstr("note: " + path("d/ca.key") +
                                " is open to others than its owner (mode 0644); chmod 600 closes "
                                "it\n"));
    EXPECT_THAT(out_, HasSubstr("note: " + path("d/tls.key") + " is open to others"));
    EXPECT_THAT(out_, HasSubstr("(mode 0640)"));
    EXPECT_EQ(mode("d/tls.key"), 0640U) << "somebody may need it so";
    now_ += hours{150};
    ASSERT_EQ(issue(), 0);
    EXPECT_THAT(out_, Not(HasSubstr("tls.key is open"))) << "it is a new one";
    EXPECT_EQ(mode("d/tls.key"), 0600U);
}

}  // namespace
}  // namespace smw::cli
