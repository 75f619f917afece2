// Who the client is and whom it believes, through changes of the files.

#include "api_client_world.hpp"
#include "support/certificates.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace smw::client {
namespace {

using std::chrono::minutes;
using test::ApiCall;
using test::ApiReply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiClientCredentials : public ApiClientTest {
protected:
    /// A server that takes this token only.
    void take_only(const std::string& token) {
        answer([token](const ApiCall& call) {
            ApiReply good;
            good.body = "{}";
            return call.header("authorization") == "Bearer " + token
                       ? good
                       : test::status_reply(401, "Unauthorized");
        });
    }
    [[nodiscard]] std::vector<std::string> tokens() const {
        std::vector<std::string> all;
        for (const auto& call : server_.calls()) {
            all.push_back(call.header("authorization"));
        }
        return all;
    }
    void use_token_file(const std::string& token) {
        config_.token_file = folder_.path() / "token";
        folder_.write("token", token);
    }
    void use_client_certificate(const std::string& name) {
        test::CertificateSpec spec;
        spec.common_name = name;
        spec.extended_key_usage = "clientAuth";
        const auto pair = test::make_pair(spec);
        folder_.write("c", pair.chain_pem);
        folder_.write("k", pair.key_pem);
        config_.client_certificate.file = folder_.path() / "c";
        config_.client_key.file = folder_.path() / "k";
    }
};

TEST_F(ApiClientCredentials, ReadsTheTokenAgainWhenItIsRefused) {
    use_token_file("one");
    take_only("one");
    ASSERT_TRUE(get());
    folder_.write("token", "two\n");
    take_only("two");
    EXPECT_TRUE(get());
    EXPECT_TRUE(get());
    EXPECT_THAT(tokens(), ElementsAre("Bearer one", "Bearer one", "Bearer two", "Bearer two"));
}

TEST_F(ApiClientCredentials, ReadsTheTokenAgainWhenAWatchIsRefused) {
    use_token_file("one");
    take_only("two");
    answer([this](const ApiCall& call) {
        if (call.header("authorization") == "Bearer one") {
            folder_.write("token", "two");
            return test::status_reply(401, "Unauthorized");
        }
        return ApiReply{};
    });
    EXPECT_THAT(lines(), ElementsAre("closed"));
    EXPECT_THAT(tokens(), ElementsAre("Bearer one", "Bearer two"));
}

TEST_F(ApiClientCredentials, AsksOnceMoreAndNoMore) {
    use_token_file("one");
    take_only("other");
    const auto refused = get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, Code::Unauthorized);
    EXPECT_THAT(refused.error().error.message, Not(HasSubstr("one")));
    EXPECT_EQ(server_.calls().size(), 2U);
    EXPECT_EQ(watch().error().error.code, Code::Unauthorized);
    EXPECT_EQ(server_.calls().size(), 4U);
}

TEST_F(ApiClientCredentials, DoesNotAskAgainWithATokenThatCannotChange) {
    take_only("other");
    EXPECT_EQ(get().error().error.code, Code::Unauthorized);
    EXPECT_EQ(server_.calls().size(), 1U);
}

TEST_F(ApiClientCredentials, ReadsTheTokenEachMinute) {
    use_token_file("one");
    ASSERT_TRUE(get());
    folder_.write("token", "two");
    ASSERT_TRUE(get());
    clock_.turn(minutes{1});
    ASSERT_TRUE(get());
    EXPECT_THAT(tokens(), ElementsAre("Bearer one", "Bearer one", "Bearer two"));
}

TEST_F(ApiClientCredentials, ShowsItsCertificateAndANewOneOnNewConnections) {
    use_client_certificate("jane");
    ASSERT_TRUE(get());
    use_client_certificate("june");
    ASSERT_TRUE(get());
    clock_.turn(minutes{5});
    ASSERT_TRUE(get());
    const auto calls = server_.calls();
    EXPECT_EQ(calls[0].client, "jane");
    EXPECT_EQ(calls[1].client, "jane");
    EXPECT_EQ(calls[2].client, "june");
}

TEST_F(ApiClientCredentials, ComeFromAKubeconfig) {
    use_client_certificate("jane");
    folder_.write("ca", server_.ca_pem());
    folder_.write(
        "k.conf",
        fmt::format("current-context: d\n"
                    "clusters: [{{name: c, cluster: {{server: 'https://localhost:{}/p', "
                    "certificate-authority: ca}}}}]\n"
                    "users: [{{name: u, user: {{client-certificate: c, client-key: k}}}}]\n"
                    "contexts: [{{name: d, context: {{cluster: c, user: u}}}}]\n",
                    server_.port()));
    ClusterSources sources;
    sources.kubeconfig = folder_.path() / "k.conf";
    const auto found = find_cluster(sources);
    ASSERT_TRUE(found && *found) << found.error().message;
    config_ = **found;
    const auto got = get();
    ASSERT_TRUE(got) << got.error().error.message;
    const auto call = server_.calls()[0];
    EXPECT_EQ(call.client, "jane");
    EXPECT_EQ(call.path.substr(0, 7), "/p/apis");
    EXPECT_EQ(call.headers.count("authorization"), 0U);
}

TEST_F(ApiClientCredentials, BelieveOnlyWhomTheCaSigned) {
    config_.ca = {"", folder_.path() / "ca"};
    folder_.write("ca", test::make_pair().chain_pem);
    const auto stranger = get();
    ASSERT_FALSE(stranger);
    EXPECT_EQ(stranger.error().error.code, Code::Unavailable);
    EXPECT_EQ(server_.calls().size(), 0U) << "no token goes to strangers";
    folder_.write("ca", server_.ca_pem());
    clock_.turn(minutes{5});
    const auto got = get();
    EXPECT_TRUE(got) << got.error().error.message;
}

TEST_F(ApiClientCredentials, BelieveOnlyTheNameThatIsAskedFor) {
    config_.tls_server_name = "localhost";
    EXPECT_TRUE(get());
    client_.reset();
    config_.tls_server_name = "other.example.org";
    EXPECT_EQ(get().error().error.code, Code::Unavailable);
    EXPECT_EQ(server_.calls().size(), 1U);
}

TEST_F(ApiClientCredentials, BelieveAnybodyWhenSaidSo) {
    config_.ca = {};
    config_.insecure_skip_tls_verify = true;
    EXPECT_TRUE(get());
}

TEST_F(ApiClientCredentials, AreNotSentAnywhereWithoutACa) {
    config_.ca = {"", folder_.path() / "none"};
    const auto got = get();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().error.code, Code::Unavailable);
    EXPECT_EQ(output_.count(log::Level::Warn), 1U);
}

}  // namespace
}  // namespace smw::client
