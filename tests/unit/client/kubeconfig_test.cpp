// kubeconfigs as text: what they mean, and what is said about bad ones.

#include "client/kubeconfig.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace smw::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Stands wherever a secret does; no message may have it.
constexpr const char* kSecret = "hunter2";

const std::string kGood = R"(apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: dev
clusters:
- name: c1
  cluster:
    server: https://10.96.0.1:6443
    certificate-authority: pki/ca.crt
    disable-compression: true
- name: c2
  cluster: {server: 'https://two'}
users:
- name: u1
  user:
    token: hunter2
- name: u2
  user: {exec: {command: get-token}}
contexts:
- name: dev
  context: {cluster: c1, user: u1, namespace: training}
- name: other
  context: {cluster: c2, user: u2}
extensions: [{name: x, extension: {a: 1}}]
)";

Expected<FoundCluster> merge(const std::string& text) {
    return merge_kubeconfigs({{"/etc/k.conf", text}});
}

std::string problem_of(const std::string& text) {
    const auto found = merge(text);
    return found ? "none" : found.error().message;
}

/// A kubeconfig with one cluster and one user, by their fields in flow style.
std::string with(const std::string& cluster, const std::string& user) {
    return fmt::format(
        "current-context: dev\n"
        "clusters: [{{name: c, cluster: {{{}}}}}]\n"
        "users: [{{name: u, user: {{{}}}}}]\n"
        "contexts: [{{name: dev, context: {{cluster: c, user: u}}}}]\n",
        cluster, user);
}

std::string with_cluster(const std::string& fields) {
    return with("server: 'https://h', " + fields, "");
}

std::string with_user(const std::string& fields) {
    return with("server: 'https://h'", fields);
}

TEST(Kubeconfig, SaysWhatItsCurrentContextSays) {
    const auto found = merge(kGood);
    ASSERT_TRUE(found) << found.error().message;
    ClusterConfig wanted;
    wanted.source = "kubeconfig /etc/k.conf, context dev";
    wanted.host = "10.96.0.1";
    wanted.port = 6443;
    wanted.ca.file = "/etc/pki/ca.crt";
    wanted.token = kSecret;
    EXPECT_EQ(found->config, wanted);
    EXPECT_EQ(found->names.ca, "/etc/k.conf: clusters[c1].cluster.certificate-authority");
}

TEST(Kubeconfig, MayBeJson) {
    const auto found =
        merge(R"({"current-context":"a","clusters":[{"name":"a","cluster":{"server":"http://h"}}],)"
              R"("users":[{"name":"a","user":{}}],)"
              R"("contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}]})");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_FALSE(found->config.tls);
    EXPECT_EQ(found->config.port, 80);
}

TEST(Kubeconfig, ReadsEveryFieldOfAUser) {
    const auto found =
        merge(with_user("token: hunter2, tokenFile: t/token, client-certificate-data: Y2VydA==, "
                        "client-key: /keys/k, as: jane, as-uid: '7', as-groups: [a, 'b c']"));
    ASSERT_TRUE(found) << found.error().message;
    const auto& config = found->config;
    EXPECT_EQ(config.token, kSecret);
    EXPECT_EQ(config.token_file, "/etc/t/token");
    EXPECT_EQ(config.client_certificate.data, "cert");
    EXPECT_EQ(config.client_key.file, "/keys/k");
    EXPECT_EQ(config.as, (Impersonation{"jane", "7", {"a", "b c"}}));
    EXPECT_THAT(config.warnings, IsEmpty());
    EXPECT_EQ(found->names.token_file, "/etc/k.conf: users[u].user.tokenFile");
    EXPECT_EQ(found->names.client_certificate,
              "/etc/k.conf: users[u].user.client-certificate-data");
    EXPECT_EQ(found->names.client_key, "/etc/k.conf: users[u].user.client-key");
}

TEST(Kubeconfig, ReadsEveryFieldOfACluster) {
    const auto found =
        merge(with_cluster("tls-server-name: api.example.org, insecure-skip-tls-verify: false, "
                           "certificate-authority-data: Y2E="));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->config.tls_server_name, "api.example.org");
    EXPECT_EQ(found->config.ca.data, "ca");
    EXPECT_FALSE(found->config.insecure_skip_tls_verify);
    EXPECT_THAT(found->config.warnings, IsEmpty());
}

TEST(Kubeconfig, PrefersDataOverTheFile) {
    const auto found =
        merge(with_cluster("certificate-authority: ca.crt, certificate-authority-data: Y2E="));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->config.ca, (Pem{"ca", ""}));
}

TEST(Kubeconfig, WarnsOfWhatIsNotSafe) {
    EXPECT_THAT(
        merge(with_cluster("insecure-skip-tls-verify: true"))->config.warnings,
        ElementsAre("/etc/k.conf: clusters[c].cluster.insecure-skip-tls-verify is true: whoever "
                    "answers is believed to be the API server"));
    EXPECT_TRUE(
        merge(with_cluster("insecure-skip-tls-verify: true"))->config.insecure_skip_tls_verify);
    EXPECT_THAT(merge(with("server: 'http://h'", "token: hunter2"))->config.warnings,
                ElementsAre("/etc/k.conf: users[u].user.token goes to the API server over http://, "
                            "where everybody on the way can read it"));
    EXPECT_THAT(merge(with("server: 'http://h'", ""))->config.warnings, IsEmpty());
}

TEST(Kubeconfig, NamesFileAndFieldOfWhatIsWrong) {
    const struct {
        std::string text;
        const char* problem;
    } cases[] = {
        {"", "/etc/k.conf: is empty"},
        {"# nothing\n", "/etc/k.conf: is empty"},
        {"hunter2", "/etc/k.conf: must be a mapping with clusters, users and contexts"},
        {"[hunter2]", "/etc/k.conf: must be a mapping with clusters, users and contexts"},
        {"a: &x\n- *x\n", "/etc/k.conf: line 2: an alias stands inside what it refers to"},
        {"{}", "/etc/k.conf: current-context: is missing"},
        {"kind: Pod", "/etc/k.conf: kind: is not Config: this is no kubeconfig"},
        {"kind: [1]", "/etc/k.conf: kind: must be text, not a list"},
        {kGood + "---\na: 1\n", "/etc/k.conf: line 25: a second document begins here"},
        {"current-context: ''", "/etc/k.conf: current-context: is missing"},
        {"current-context: 7", "/etc/k.conf: current-context: must be text, not a number"},
        {"current-context: dev",
         "/etc/k.conf: current-context: names dev, which is not among "
         "contexts"},
        {"contexts: {}", "/etc/k.conf: contexts: must be a list, not a mapping"},
        {"contexts: [hunter2]", "/etc/k.conf: contexts[0]: must be a mapping, not text"},
        {"contexts: [{context: {}}]", "/etc/k.conf: contexts[0].name: is missing"},
        {"contexts: [{name: [1]}]", "/etc/k.conf: contexts[0].name: must be text, not a list"},
        {"contexts: [{name: a, context: hunter2}]",
         "/etc/k.conf: contexts[0].context: must be a mapping, not text"},
        {"users: [{name: a}, {name: b}, {name: a}]",
         "/etc/k.conf: users[2].name: a is there twice"},
        {"current-context: d\ncontexts: [{name: d}]",
         "/etc/k.conf: contexts[d].context.cluster: is missing"},
        {"current-context: d\ncontexts: [{name: d, context: {cluster: x, user: w}}]",
         "/etc/k.conf: contexts[d].context.cluster: names x, which is not among clusters"},
        {"current-context: d\nclusters: [{name: x}]\ncontexts: [{name: d, context: {cluster: x}}]",
         "/etc/k.conf: contexts[d].context.user: is missing"},
        {"current-context: d\nclusters: [{name: x}]\n"
         "contexts: [{name: d, context: {cluster: x, user: w}}]",
         "/etc/k.conf: contexts[d].context.user: names w, which is not among users"},
        {"current-context: \"\\e[31m\"",
         "/etc/k.conf: current-context: names ?[31m, which is not among contexts"},
    };
    for (const auto& [text, problem] : cases) {
        EXPECT_EQ(problem_of(text), problem) << text;
    }
}

TEST(Kubeconfig, NamesTheFieldOfABadCluster) {
    const struct {
        const char* fields;
        const char* problem;
    } cases[] = {
        {"", "server: is missing"},
        {"server: ''", "server: is missing"},
        {"server: null", "server: is missing"},
        {"server: [hunter2]", "server: must be text, not a list"},
        {"server: 'https://a:hunter2@h'",
         "server: has a user name in it: use a token or a client certificate"},
        {"server: 'https://h', certificate-authority: 7",
         "certificate-authority: must be text, not a number"},
        {"server: 'https://h', certificate-authority-data: hunter2",
         "certificate-authority-data: is no base64"},
        {"server: 'https://h', certificate-authority-data: \"\\n\"",
         "certificate-authority-data: is no base64"},
        {"server: 'https://h', insecure-skip-tls-verify: 'yes'",
         "insecure-skip-tls-verify: must be true or false, not text"},
        {"server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: ca",
         "insecure-skip-tls-verify: cannot be true beside a certificate-authority"},
        {"server: 'https://h', tls-server-name: 'a b'", "tls-server-name: is no host name"},
        {"server: 'https://h', tls-server-name: {}",
         "tls-server-name: must be text, not a mapping"},
        {"server: 'https://h', proxy-url: 'http://u:hunter2@p'",
         "proxy-url: is not supported: API servers are reached directly; give the address of a "
         "forwarder as server"},
    };
    for (const auto& [fields, problem] : cases) {
        const auto said = problem_of(with(fields, ""));
        EXPECT_EQ(said, fmt::format("/etc/k.conf: clusters[c].cluster.{}", problem)) << fields;
        EXPECT_THAT(said, Not(HasSubstr(kSecret)));
    }
}

TEST(Kubeconfig, NamesTheFieldOfABadUser) {
    const std::string instead =
        "is not supported: use a token, a tokenFile or a client-certificate";
    const struct {
        const char* fields;
        std::string problem;
    } cases[] = {
        {"token: 1234", "token: must be text, not a number"},
        {"token: 'hunter2 x'", "token: has characters that no token has"},
        {"token: \"hunter2\\r\\nX: y\"", "token: has characters that no token has"},
        {"tokenFile: [a]", "tokenFile: must be text, not a list"},
        {"client-certificate-data: hunter2", "client-certificate-data: is no base64"},
        {"client-certificate: c, client-key-data: 'hunter2!'", "client-key-data: is no base64"},
        {"client-key-data: [hunter2]", "client-key-data: must be text, not a list"},
        {"client-certificate: c", "client-certificate: needs a client-key beside it"},
        {"client-certificate-data: Y2E=", "client-certificate-data: needs a client-key beside it"},
        {"client-key: k", "client-key: needs a client-certificate beside it"},
        {"exec: {command: x}", "exec: " + instead},
        {"auth-provider: {name: gcp}", "auth-provider: " + instead},
        {"username: hunter2", "username: " + instead},
        {"password: hunter2", "password: " + instead},
        {"as: a, as-user-extra: {a: [b]}",
         "as-user-extra: is not supported: impersonate with as, as-uid and as-groups only"},
        {"as: \"a\\nb\"", "as: has characters that no header can carry"},
        {"as: a, as-uid: \"a\\nb\"", "as-uid: has characters that no header can carry"},
        {"as: a, as-groups: [b, \"c\\n\"]",
         "as-groups[1]: has characters that no header can carry"},
        {"as: a, as-groups: b", "as-groups: must be a list of texts, not text"},
        {"as: a, as-groups: [b, 1]", "as-groups[1]: must be text, not a number"},
        {"as: true", "as: must be text, not a boolean"},
        {"as-groups: [b]", "as-groups: needs a user in as beside it"},
        {"as-uid: '1', as-groups: [b]", "as-uid: needs a user in as beside it"},
    };
    for (const auto& [fields, problem] : cases) {
        const auto said = problem_of(with_user(fields));
        EXPECT_EQ(said, fmt::format("/etc/k.conf: users[u].user.{}", problem)) << fields;
        EXPECT_THAT(said, Not(HasSubstr(kSecret)));
    }
}

TEST(Kubeconfig, PassesOverWhatSaysNothing) {
    const auto found = merge(with(
        "server: 'https://h', proxy-url: '', certificate-authority-data: '', tls-server-name: null",
        "exec: null, username: '', as-user-extra: {}, as-groups: [], client-key: ''"));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->config.ca.empty());
    EXPECT_EQ(found->config.as, Impersonation{});
}

TEST(Kubeconfig, SpeaksOnlyOfWhatTheContextUses) {
    std::string text = kGood;
    text.replace(text.find("current-context: dev"), 20, "current-context: other");
    EXPECT_THAT(problem_of(text), HasSubstr("users[u2].user.exec: is not supported"));
    EXPECT_EQ(problem_of(kGood), "none") << "nobody asked for the user with exec";
}

TEST(Kubeconfigs, MergeEntryByEntryAndTheFirstDefinitionWins) {
    const auto found = merge_kubeconfigs({
        {"/a/one", "current-context: ''\nusers: [{name: u, user: {tokenFile: one}}]\n"},
        {"/b/two",
         "current-context: dev\n"
         "clusters: [{name: c, cluster: {server: 'https://h', "
         "certificate-authority: ca}}]\n"
         "users: [{name: u, user: {tokenFile: two, as: jane}}]\n"},
        {"/c/three",
         "current-context: x\n"
         "clusters: [{name: c, cluster: {server: 'https://other'}}]\n"
         "contexts: [{name: dev, context: {cluster: c, user: u}}]\n"},
        {"/d/empty", ""},
    });
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->config.source, "kubeconfig /c/three, context dev");
    EXPECT_EQ(found->config.host, "h");
    EXPECT_EQ(found->config.ca.file, "/b/ca");
    EXPECT_EQ(found->config.token_file, "/a/one");
    EXPECT_EQ(found->config.as, Impersonation{}) << "entries are not merged field by field";
}

TEST(Kubeconfigs, NameTheFileThatIsWrong) {
    const auto of = [](const std::vector<KubeconfigFile>& files) {
        const auto found = merge_kubeconfigs(files);
        return found ? "none" : found.error().message;
    };
    EXPECT_EQ(of({{"/a", kGood}, {"/b", "a: ["}}).substr(0, 4), "/b: ");
    EXPECT_EQ(of({{"/a", kGood}, {"/b", "users: 1"}}), "/b: users: must be a list, not a number");
    EXPECT_EQ(of({{"/a", ""}, {"/b", ""}}), "/a, /b: is empty");
    EXPECT_EQ(of({{"/a", "{}"}, {"/b", ""}}), "/a, /b: current-context: is missing");
    EXPECT_EQ(of({{"/a", "current-context: dev"},
                  {"/b", "contexts: [{name: dev, context: {cluster: c}}]"}}),
              "/b: contexts[dev].context.cluster: names c, which is not among clusters");
    EXPECT_EQ(of({{"/a", with_user("tokenFile: 1")}, {"/b", kGood}}),
              "/a: users[u].user.tokenFile: must be text, not a number");
}

TEST(Kubeconfig, CutAnywhereIsAnErrorOrAConfiguration) {
    for (std::size_t size = 0; size < kGood.size(); ++size) {
        const auto found = merge(kGood.substr(0, size));
        if (!found) {
            EXPECT_THAT(found.error().message, testing::StartsWith("/etc/k.conf: ")) << size;
            EXPECT_THAT(found.error().message, Not(HasSubstr(kSecret))) << size;
        }
    }
}

TEST(Kubeconfig, WithAnyByteChangedIsAnErrorOrAConfiguration) {
    for (std::size_t at = 0; at < kGood.size(); ++at) {
        for (const char c : {'\0', '\n', '[', '}', ':', '&', '*', '"', '\xff'}) {
            std::string text = kGood;
            text[at] = c;
            const auto found = merge(text);
            if (!found) {
                EXPECT_THAT(found.error().message, testing::StartsWith("/etc/k.conf: "));
            }
        }
    }
}

}  // namespace
}  // namespace smw::client
