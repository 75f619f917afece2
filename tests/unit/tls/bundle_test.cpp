#include "smw/tls/bundle.hpp"

#include "smw/tls/issue.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include <string>
#include <vector>

namespace smw::tls {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow = std::chrono::system_clock::now();

std::string ca(const std::string& name) {
    return issue_ca({name, kNow, std::chrono::hours{24}})->certificate_pem;
}

std::vector<std::string> subjects(std::string_view pem) {
    std::vector<std::string> found;
    for (const auto& certificate : read_bundle(pem)) {
        found.push_back(certificate.details.subject);
    }
    EXPECT_EQ(ERR_peek_error(), 0U);
    return found;
}

/// `text` with the first `what` replaced.
std::string with(std::string text, const std::string& what, const std::string& by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, what.size(), by);
}

TEST(ReadBundle, HasAllInTheirOrder) {
    const auto one = ca("one");
    EXPECT_THAT(subjects(one + ca("two") + one), ElementsAre("CN=one", "CN=two", "CN=one"));
}

TEST(ReadBundle, IsEmptyOfNothing) {
    EXPECT_THAT(subjects(""), IsEmpty());
    EXPECT_THAT(subjects("no PEM at all"), IsEmpty());
}

TEST(ReadBundle, GivesTheSameTextForTheSameCertificate) {
    const auto plain = ca("one");
    auto windows = plain;
    for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2) {
        windows.replace(at, 1, "\r\n");
    }
    const auto read = read_bundle("# the CA\n" + windows + "rubbish");
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read.front().pem, plain);
    EXPECT_EQ(read.front().details, read_bundle(plain).front().details);
}

TEST(ReadBundle, PassesOverWhatIsNoGoodCertificate) {
    const auto issued = issue_ca({"one", kNow, std::chrono::hours{24}});
    const auto good = ca("good");
    const auto half = issued->certificate_pem.substr(0, issued->certificate_pem.size() / 2) + "\n";
    EXPECT_THAT(subjects(issued->key_pem + good), ElementsAre("CN=good"));
    EXPECT_THAT(subjects(half + good), ElementsAre("CN=good"));
    EXPECT_THAT(subjects(good + half), ElementsAre("CN=good"));
    EXPECT_THAT(subjects("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + good),
                ElementsAre("CN=good"));
}

// OpenSSL reads these, crypto/x509 does not: they are not trusted by an API server.
TEST(ReadBundle, PassesOverWhatGoDoes) {
    auto other = with(ca("other"), "BEGIN CERTIFICATE", "BEGIN X509 CERTIFICATE");
    other = with(other, "END CERTIFICATE", "END X509 CERTIFICATE");
    EXPECT_THAT(subjects(other), IsEmpty());
    EXPECT_THAT(subjects(with(ca("one"), "CERTIFICATE-----\n", "CERTIFICATE-----\nA: b\n\n")),
                IsEmpty());
}

}  // namespace
}  // namespace smw::tls
