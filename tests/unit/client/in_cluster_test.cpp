// What a pod is told about its API server.

#include "client/in_cluster.hpp"

#include "support/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InCluster : public ::testing::Test {
protected:
    InCluster() {
        sources_.service_account = folder_.path();
        sources_.environment = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"},
                                {"KUBERNETES_SERVICE_PORT", "443"}};
    }

    [[nodiscard]] ClusterConfig config() const {
        const auto found = in_cluster(sources_);
        return found && *found ? (*found)->config : ClusterConfig{};
    }
    [[nodiscard]] std::string problem() const {
        const auto found = in_cluster(sources_);
        return found ? (*found ? "found" : "absent") : found.error().message;
    }

    test::Folder folder_;
    ClusterSources sources_;
};

TEST_F(InCluster, IsWhereTheVariablesPoint) {
    folder_.write("ca.crt", "x");
    ClusterConfig wanted;
    wanted.source = "in-cluster";
    wanted.host = "10.96.0.1";
    wanted.ca.file = folder_.path() / "ca.crt";
    wanted.token_file = folder_.path() / "token";
    EXPECT_EQ(config(), wanted);
}

TEST_F(InCluster, TakesIpv6WithAndWithoutBrackets) {
    for (const char* host : {"fd00::1", "[fd00::1]"}) {
        sources_.environment["KUBERNETES_SERVICE_HOST"] = host;
        EXPECT_EQ(config().host, "fd00::1");
    }
}

TEST_F(InCluster, IsAbsentUnlessBothVariablesSaySomething) {
    sources_.environment["KUBERNETES_SERVICE_PORT"] = "";
    EXPECT_EQ(problem(), "absent");
    sources_.environment.erase("KUBERNETES_SERVICE_PORT");
    EXPECT_EQ(problem(), "absent");
    sources_.environment = {{"KUBERNETES_SERVICE_PORT", "443"}};
    EXPECT_EQ(problem(), "absent");
}

TEST_F(InCluster, RefusesVariablesThatAreNoAddress) {
    sources_.environment["KUBERNETES_SERVICE_PORT"] = "tcp://10.96.0.1:443";
    EXPECT_EQ(problem(), "KUBERNETES_SERVICE_PORT: has a port that is none of 1 to 65535");
    sources_.environment["KUBERNETES_SERVICE_HOST"] = "a b";
    EXPECT_EQ(problem(),
              "KUBERNETES_SERVICE_HOST: has a host with characters that no host name has");
}

TEST_F(InCluster, TrustsTheSystemWithoutItsOwnCaAndSaysSo) {
    EXPECT_TRUE(config().ca.empty());
    EXPECT_THAT(config().warnings,
                ElementsAre((folder_.path() / "ca.crt").string() +
                            " is missing: the system's certificates decide who is the API "
                            "server"));
    folder_.write("ca.crt", "");
    EXPECT_THAT(config().warnings, IsEmpty()) << "an empty one is an error, found later";
    EXPECT_FALSE(config().ca.empty());
}

TEST_F(InCluster, OwnNamespaceIsPodNamespaceThenTheFileThenDefault) {
    EXPECT_EQ(own_namespace(sources_), "default");
    folder_.write("namespace", "\n");
    EXPECT_EQ(own_namespace(sources_), "default");
    folder_.write("namespace", "from-file\n");
    EXPECT_EQ(own_namespace(sources_), "from-file");
    sources_.environment["POD_NAMESPACE"] = "from-variable";
    EXPECT_EQ(own_namespace(sources_), "from-variable");
    sources_.environment["POD_NAMESPACE"] = "";
    EXPECT_EQ(own_namespace(sources_), "from-file");
}

}  // namespace
}  // namespace smw::client
