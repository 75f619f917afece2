// Files that change while the process lives, on a clock that a test turns.

#include "client/credentials.hpp"

#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/recording_output.hpp"
#include "support/turned_clock.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace smw::client {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class CredentialsTest : public ::testing::Test {
protected:
    [[nodiscard]] Credentials make() { return {config_, clock_, output_.logger()}; }
    [[nodiscard]] std::filesystem::path at(const char* name) const { return folder_.path() / name; }
    [[nodiscard]] std::size_t warnings() const { return output_.count(log::Level::Warn); }

    test::Folder folder_;
    test::TurnedClock clock_;
    test::RecordingOutput output_;
    ClusterConfig config_;
};

using Token = CredentialsTest;
using Certificates = CredentialsTest;

TEST_F(Token, IsTheOneGivenWithoutAFile) {
    config_.token = "static";
    auto credentials = make();
    EXPECT_EQ(credentials.token(), "static");
    EXPECT_FALSE(credentials.renew_token());
    config_.token = "";
    EXPECT_EQ(make().token(), "");
}

TEST_F(Token, IsReadAgainTenSecondsBeforeAMinuteIsOver) {
    config_.token = "static";
    config_.token_file = at("token");
    folder_.write("token", " one\n");
    auto credentials = make();
    EXPECT_EQ(credentials.token(), "one") << "the file beats the text";
    folder_.write("token", "two");
    clock_.turn(seconds{49});
    EXPECT_EQ(credentials.token(), "one");
    clock_.turn(seconds{1});
    EXPECT_EQ(credentials.token(), "two");
    EXPECT_EQ(warnings(), 0U);
}

TEST_F(Token, IsReadAtOnceAfterItWasRefused) {
    config_.token_file = at("token");
    folder_.write("token", "one");
    auto credentials = make();
    EXPECT_EQ(credentials.token(), "one");
    folder_.write("token", "two");
    EXPECT_TRUE(credentials.renew_token());
    EXPECT_EQ(credentials.token(), "two");
}

TEST_F(Token, StaysWhileItsFileIsBadWhichIsSaidOnce) {
    config_.token_file = at("token");
    folder_.write("token", "one");
    auto credentials = make();
    EXPECT_EQ(credentials.token(), "one");
    clock_.turn(minutes{1});
    folder_.write("token", "\n");
    EXPECT_EQ(credentials.token(), "one");
    EXPECT_EQ(credentials.token(), "one");
    EXPECT_EQ(warnings(), 1U) << output_.text();
    folder_.write("token", "hunter2\r\nX: y");
    EXPECT_TRUE(credentials.renew_token());
    EXPECT_EQ(credentials.token(), "one");
    EXPECT_EQ(warnings(), 2U) << output_.text();
    std::filesystem::remove(at("token"));
    EXPECT_EQ(credentials.token(), "one");
    EXPECT_EQ(warnings(), 3U) << output_.text();
    EXPECT_EQ(output_.count("hunter2"), 0U) << "nothing of a token is logged";
    folder_.write("token", "two");
    EXPECT_EQ(credentials.token(), "two") << "a bad file is looked at each time";
    std::filesystem::remove(at("token"));
    clock_.turn(minutes{1});
    EXPECT_EQ(credentials.token(), "two");
    EXPECT_EQ(warnings(), 4U) << "it was good in between";
}

TEST_F(Token, IsTheOneGivenUntilTheFileIsGood) {
    config_.token = "static";
    config_.token_file = at("token");
    auto credentials = make();
    EXPECT_EQ(credentials.token(), "static");
    folder_.write("token", "one");
    EXPECT_EQ(credentials.token(), "one");
}

TEST_F(Certificates, AreReadAgainEachFiveMinutes) {
    const auto pair = test::make_pair();
    config_.ca.file = at("ca");
    config_.client_certificate.file = at("c");
    config_.client_key.file = at("k");
    folder_.write("ca", pair.chain_pem);
    folder_.write("c", pair.chain_pem);
    folder_.write("k", pair.key_pem);
    auto credentials = make();
    EXPECT_EQ(credentials.contexts().load(), nullptr);
    EXPECT_TRUE(credentials.refresh_tls());
    const auto first = credentials.contexts().load();
    ASSERT_NE(first, nullptr);
    EXPECT_FALSE(credentials.refresh_tls());

    clock_.turn(minutes{5});
    EXPECT_FALSE(credentials.refresh_tls()) << "nothing has changed";
    EXPECT_EQ(credentials.contexts().load(), first);

    const auto other = test::make_pair();
    folder_.write("c", other.chain_pem);
    folder_.write("k", other.key_pem);
    clock_.turn(minutes{5} - seconds{1});
    EXPECT_FALSE(credentials.refresh_tls());
    clock_.turn(seconds{1});
    EXPECT_TRUE(credentials.refresh_tls());
    EXPECT_NE(credentials.contexts().load(), first);
    EXPECT_EQ(warnings(), 0U) << output_.text();
}

TEST_F(Certificates, StayWhileNewOnesAreBadWhichIsSaidOnce) {
    config_.ca.file = at("ca");
    folder_.write("ca", test::make_pair().chain_pem);
    auto credentials = make();
    EXPECT_TRUE(credentials.refresh_tls());
    const auto first = credentials.contexts().load();
    for (int round = 0; round < 3; ++round) {
        folder_.write("ca", "garbage");
        clock_.turn(minutes{5});
        EXPECT_FALSE(credentials.refresh_tls());
        EXPECT_EQ(credentials.contexts().load(), first);
        EXPECT_EQ(warnings(), 1U) << output_.text();
    }
    std::filesystem::remove(at("ca"));
    clock_.turn(minutes{5});
    EXPECT_FALSE(credentials.refresh_tls());
    EXPECT_EQ(warnings(), 2U) << output_.text();
    folder_.write("ca", test::make_pair().chain_pem);
    clock_.turn(minutes{5});
    EXPECT_TRUE(credentials.refresh_tls());
    EXPECT_NE(credentials.contexts().load(), first);
}

TEST_F(Certificates, AreReadAgainSoonWhenARotationIsHalfDone) {
    const auto before = test::make_pair();
    const auto after = test::make_pair();
    config_.ca.file = at("ca");
    config_.client_certificate.file = at("c");
    config_.client_key.file = at("k");
    folder_.write("ca", before.chain_pem);
    folder_.write("c", before.chain_pem);
    folder_.write("k", before.key_pem);
    auto credentials = make();
    EXPECT_TRUE(credentials.refresh_tls());
    folder_.write("c", after.chain_pem);
    clock_.turn(minutes{5});
    EXPECT_FALSE(credentials.refresh_tls());
    EXPECT_EQ(warnings(), 1U);
    folder_.write("k", after.key_pem);
    clock_.turn(seconds{9});
    EXPECT_FALSE(credentials.refresh_tls());
    clock_.turn(seconds{1});
    EXPECT_TRUE(credentials.refresh_tls());
    folder_.write("ca", after.chain_pem);
    clock_.turn(minutes{5} - seconds{1});
    EXPECT_FALSE(credentials.refresh_tls()) << "all is well again";
    clock_.turn(seconds{1});
    EXPECT_TRUE(credentials.refresh_tls());
    EXPECT_EQ(warnings(), 1U) << output_.text();
}

TEST_F(Certificates, AreLookedForEachTimeWhileThereWereNone) {
    config_.ca.file = at("ca");
    auto credentials = make();
    EXPECT_FALSE(credentials.refresh_tls());
    EXPECT_EQ(credentials.contexts().load(), nullptr);
    EXPECT_EQ(warnings(), 1U);
    folder_.write("ca", test::make_pair().chain_pem);
    EXPECT_TRUE(credentials.refresh_tls());
}

TEST_F(Certificates, AreNotNeededWithoutTls) {
    config_.tls = false;
    config_.ca.file = at("none");
    auto credentials = make();
    EXPECT_FALSE(credentials.refresh_tls());
    EXPECT_EQ(warnings(), 0U);
}

TEST_F(Certificates, OfTheServerAreNotCheckedWhenSaidSo) {
    config_.insecure_skip_tls_verify = true;
    auto credentials = make();
    EXPECT_TRUE(credentials.refresh_tls());
    EXPECT_EQ(SSL_CTX_get_verify_mode(credentials.contexts().load()->native()), SSL_VERIFY_NONE);
}

}  // namespace
}  // namespace smw::client
