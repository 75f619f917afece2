// Where a configuration is looked for, and what is said when its files do not fit.

#include "smw/client/cluster_config.hpp"

#include "support/certificates.hpp"
#include "support/folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace smw::client {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string kubeconfig(const std::string& host, const std::string& user = "",
                       const std::string& cluster = "") {
    return fmt::format(
        "current-context: dev\n"
        "clusters: [{{name: c, cluster: {{server: 'https://{}', {}}}}}]\n"
        "users: [{{name: u, user: {{{}}}}}]\n"
        "contexts: [{{name: dev, context: {{cluster: c, user: u}}}}]\n",
        host, cluster, user);
}

std::string base64(const std::string& bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

class FindCluster : public ::testing::Test {
protected:
    FindCluster() {
        std::filesystem::create_directories(folder_.path() / "home/.kube");
        std::filesystem::create_directories(folder_.path() / "sa");
        sources_.environment["HOME"] = at("home");
        sources_.service_account = at("sa");
    }

    [[nodiscard]] std::string at(const std::string& name) const {
        return (folder_.path() / name).string();
    }
    void run_in_cluster() {
        sources_.environment["KUBERNETES_SERVICE_HOST"] = "in-cluster";
        sources_.environment["KUBERNETES_SERVICE_PORT"] = "443";
    }
    void use(const std::string& text) {
        folder_.write("k.conf", text);
        sources_.kubeconfig = at("k.conf");
    }
    /// The host that was found, "none", or the error without the folder's name.
    [[nodiscard]] std::string host() const {
        const auto found = find_cluster(sources_);
        if (!found) {
            std::string message = found.error().message;
            const std::string folder = folder_.path().string() + "/";
            for (auto where = message.find(folder); where != std::string::npos;
                 where = message.find(folder)) {
                message.erase(where, folder.size());
            }
            return message;
        }
        return *found ? (*found)->host : "none";
    }

    test::Folder folder_;
    ClusterSources sources_;
};

TEST_F(FindCluster, TakesTheFirstOfFlagVariablePodAndHome) {
    EXPECT_EQ(host(), "none");
    folder_.write("home/.kube/config", kubeconfig("home"));
    EXPECT_EQ(host(), "home");
    run_in_cluster();
    folder_.write("sa/token", "t\n");
    EXPECT_EQ(host(), "in-cluster");
    folder_.write("variable", kubeconfig("variable"));
    sources_.environment["KUBECONFIG"] = at("variable");
    EXPECT_EQ(host(), "variable");
    folder_.write("flag", kubeconfig("flag"));
    sources_.kubeconfig = at("flag");
    EXPECT_EQ(host(), "flag");
}

TEST_F(FindCluster, PassesOverFilesOfTheVariableThatAreMissing) {
    folder_.write("a", kubeconfig("a"));
    folder_.write("b", kubeconfig("b"));
    sources_.environment["KUBECONFIG"] = ":" + at("none") + "::" + at("b") + ":" + at("a") + ":";
    EXPECT_EQ(host(), "b");
    sources_.environment["KUBECONFIG"] = at("none") + ":" + at("nothing");
    EXPECT_EQ(host(), "none");
    folder_.write("home/.kube/config", kubeconfig("home"));
    EXPECT_EQ(host(), "none") << "the file at home is not what was meant";
    run_in_cluster();
    folder_.write("sa/token", "t\n");
    EXPECT_EQ(host(), "in-cluster");
    sources_.environment["KUBECONFIG"] = at("home") + ":" + at("a");
    EXPECT_EQ(host(), "home: is a folder");
}

TEST_F(FindCluster, LooksAtHomeOnlyWithoutTheVariable) {
    folder_.write("home/.kube/config", kubeconfig("home"));
    sources_.environment["KUBECONFIG"] = "";
    EXPECT_EQ(host(), "home");
    sources_.environment["KUBECONFIG"] = ":";
    EXPECT_EQ(host(), "none");
}

TEST_F(FindCluster, NamesTheFlagsFileWhenItCannotBeRead) {
    const auto with = [this](const std::string& name) {
        sources_.kubeconfig = at(name);
        return host();
    };
    std::filesystem::create_symlink("loop", folder_.path() / "loop");
    folder_.write("empty", "");
    folder_.write("cycle", "a: &x [*x]\n");
    EXPECT_EQ(with("none"), "none: No such file or directory");
    EXPECT_EQ(with("home"), "home: is a folder");
    EXPECT_EQ(with("loop"), "loop: Too many levels of symbolic links");
    EXPECT_EQ(with("empty"), "empty: is empty");
    EXPECT_EQ(with("cycle"), "cycle: line 1: an alias stands inside what it refers to");
}

TEST_F(FindCluster, WantsAUsableTokenInAPod) {
    run_in_cluster();
    const std::string pod = "in-cluster, because KUBERNETES_SERVICE_HOST is set: ";
    EXPECT_EQ(host(), pod + "sa/token: No such file or directory");
    folder_.write("sa/token", " \n");
    EXPECT_EQ(host(), pod + "sa/token: is empty");
    folder_.write("sa/token", "hunter2\nX: y\n");
    EXPECT_EQ(host(), pod + "sa/token: has characters that no token has");
    folder_.write("sa/token", "t\n");
    EXPECT_EQ(host(), "in-cluster");
    folder_.write("sa/ca.crt", "garbage");
    EXPECT_EQ(host(), pod + "sa/ca.crt: the CA holds no certificate");
    folder_.write("sa/ca.crt", test::make_pair().chain_pem);
    EXPECT_EQ(host(), "in-cluster");
}

TEST_F(FindCluster, TakesCertificatesAsDataAndAsFiles) {
    const auto pair = test::make_pair();
    folder_.write("ca", pair.chain_pem);
    folder_.write("c", pair.chain_pem);
    folder_.write("k", pair.key_pem);
    use(kubeconfig("h", "client-certificate: c, client-key: k", "certificate-authority: ca"));
    EXPECT_EQ(host(), "h");
    use(kubeconfig("h",
                   fmt::format("client-certificate-data: {}, client-key-data: {}",
                               base64(pair.chain_pem), base64(pair.key_pem)),
                   "certificate-authority-data: " + base64(pair.chain_pem)));
    EXPECT_EQ(host(), "h");
}

TEST_F(FindCluster, NamesFileAndFieldOfBadCredentialsAndNeverShowsThem) {
    const auto pair = test::make_pair();
    const auto other = test::make_pair();
    folder_.write("c", pair.chain_pem);
    folder_.write("k", pair.key_pem);
    folder_.write("other", other.key_pem);
    folder_.write("empty", "");
    folder_.write("garbage", "hunter2");
    const std::string user = "k.conf: users[u].user.";
    const struct {
        std::string fields;
        std::string problem;
    } cases[] = {
        {"tokenFile: none", user + "tokenFile: none: No such file or directory"},
        {"tokenFile: empty", user + "tokenFile: empty: is empty"},
        {"tokenFile: home", user + "tokenFile: home: is a folder"},
        {"client-certificate: none, client-key: k",
         user + "client-certificate: none: No such file or directory"},
        {"client-certificate: c, client-key: none",
         user + "client-key: none: No such file or directory"},
        {"client-certificate: empty, client-key: k", user + "client-certificate: empty: is empty"},
        {"client-certificate: c, client-key: other",
         user + "client-certificate: c: the client key does not fit the client certificate"},
        {"client-certificate: garbage, client-key: k",
         user + "client-certificate: garbage: the client certificate holds no certificate"},
        {"client-certificate: c, client-key: garbage",
         user + "client-certificate: c: the client key holds no private key"},
        {"client-certificate: c, client-key-data: " + base64("hunter2"),
         user + "client-certificate: c: the client key holds no private key"},
        {fmt::format("client-certificate-data: {}, client-key-data: {}", base64(pair.chain_pem),
                     base64(other.key_pem)),
         user + "client-certificate-data: the client key does not fit the client certificate"},
    };
    for (const auto& [fields, problem] : cases) {
        use(kubeconfig("h", fields));
        EXPECT_EQ(host(), problem) << fields;
        EXPECT_THAT(host(), Not(HasSubstr("hunter2")));
        EXPECT_THAT(host(), Not(HasSubstr("\n")));
    }
}

TEST_F(FindCluster, NamesFileAndFieldOfABadCa) {
    folder_.write("key", test::make_pair().key_pem);
    const std::string cluster = "k.conf: clusters[c].cluster.certificate-authority";
    const struct {
        std::string fields;
        std::string problem;
    } cases[] = {
        {"certificate-authority: none", cluster + ": none: No such file or directory"},
        {"certificate-authority: key", cluster + ": key: the CA holds no certificate"},
        {"certificate-authority-data: " + base64("x"),
         cluster + "-data: the CA holds no certificate"},
    };
    for (const auto& [fields, problem] : cases) {
        use(kubeconfig("h", "", fields));
        EXPECT_EQ(host(), problem) << fields;
    }
}

TEST_F(FindCluster, DoesNotNeedCertificatesWithoutTls) {
    use("current-context: d\n"
        "clusters: [{name: c, cluster: {server: 'http://h', certificate-authority: none}}]\n"
        "users: [{name: u}]\ncontexts: [{name: d, context: {cluster: c, user: u}}]\n");
    EXPECT_EQ(host(), "h");
}

TEST_F(FindCluster, TellsItsSource) {
    use(kubeconfig("h"));
    const auto found = find_cluster(sources_);
    ASSERT_TRUE(found && *found);
    EXPECT_THAT((*found)->source, EndsWith("k.conf, context dev"));
    EXPECT_THAT((*found)->warnings, IsEmpty());
}

}  // namespace
}  // namespace smw::client
