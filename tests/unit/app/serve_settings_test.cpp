// The rows of the process: defaults of the contract, and what must hold between them.

#include "smw/app/serve.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ServeSettingsTest : public testing::Test {
protected:
    Configured given(std::vector<std::string> arguments) {
        Invocation invocation;
        invocation.arguments = std::move(arguments);
        return configure(serve_options(settings_), invocation);
    }
    /// On a machine that has `found_`.
    std::vector<std::string> check(const Configured& configured) {
        const auto find = [this](const client::ClusterSources& sources) {
            sources_.push_back(sources);
            return found_;
        };
        return check_settings(settings_, configured, {"checkpoint-restore"}, find);
    }

    static client::ClusterConfig cluster_at(std::string host) {
        client::ClusterConfig cluster;
        cluster.host = std::move(host);
        return cluster;
    }

    ServeSettings settings_;
    Expected<std::optional<client::ClusterConfig>> found_ = std::nullopt;
    std::vector<client::ClusterSources> sources_;
};

TEST_F(ServeSettingsTest, HasTheDefaultsOfTheContract) {
    ASSERT_THAT(given({}).errors, IsEmpty());
    EXPECT_EQ(settings_.webhook_port, 9443);
    EXPECT_EQ(settings_.health_probe_bind_address, (BindAddress{true, "", 8081}));
    EXPECT_EQ(settings_.metrics_bind_address, (BindAddress{true, "", 8080}));
    EXPECT_EQ(settings_.certificates, Certificates::Files);
    EXPECT_EQ(settings_.cert_dir, "/tmp/k8s-webhook-server/serving-certs");
    EXPECT_EQ(settings_.service_name, "stateful-migration-webhook-service");
    EXPECT_EQ(settings_.shutdown_delay, std::chrono::seconds{15});
    EXPECT_EQ(settings_.drain_timeout, std::chrono::seconds{25});
    EXPECT_EQ(settings_.limits.max_body_bytes, std::size_t{7} << 20);
    EXPECT_EQ(settings_.limits.max_bytes_in_flight, std::size_t{8} << 20);
    EXPECT_EQ(settings_.limits.max_connections, 1024U);
    EXPECT_EQ(settings_.limits.idle, std::chrono::seconds{120});
    EXPECT_EQ(settings_.max_in_flight, 256U);
    EXPECT_EQ(settings_.on_error, OnError::Allow);
    EXPECT_EQ(settings_.kubeconfig, "");
    EXPECT_EQ(settings_.max_staleness, std::chrono::minutes{10});
    EXPECT_EQ(settings_.watch_silence, std::chrono::seconds{130});
    EXPECT_THAT(settings_.enable, ElementsAre("checkpoint-restore"));
}

TEST_F(ServeSettingsTest, EveryDefaultThatIsPrintedIsTheDefaultThatIsUsed) {
    ServeSettings printed;
    for (const auto& row : serve_options(printed)) {
        if (!row.initial.empty() && row.name != "threads") {
            EXPECT_TRUE(row.set(row.initial)) << row.name << "=" << row.initial;
        }
    }
    EXPECT_EQ(printed.webhook_port, settings_.webhook_port);
    EXPECT_EQ(printed.limits.max_body_bytes, settings_.limits.max_body_bytes);
    EXPECT_EQ(printed.limits.max_bytes_in_flight, settings_.limits.max_bytes_in_flight);
    EXPECT_EQ(printed.limits.max_connections, settings_.limits.max_connections);
    EXPECT_EQ(printed.max_in_flight, settings_.max_in_flight);
    EXPECT_EQ(printed.shutdown_delay, settings_.shutdown_delay);
    EXPECT_EQ(printed.drain_timeout, settings_.drain_timeout);
    EXPECT_EQ(printed.max_staleness, settings_.max_staleness);
    EXPECT_EQ(printed.watch_silence, settings_.watch_silence);
    EXPECT_EQ(printed.health_probe_bind_address, settings_.health_probe_bind_address);
    EXPECT_EQ(printed.metrics_bind_address, settings_.metrics_bind_address);
    EXPECT_EQ(printed.log.level, settings_.log.level);
    EXPECT_EQ(printed.certificates, settings_.certificates);
    EXPECT_EQ(printed.rotation.leaf_lifetime, settings_.rotation.leaf_lifetime);
    EXPECT_EQ(printed.rotation.ca_lifetime, settings_.rotation.ca_lifetime);
    EXPECT_EQ(printed.rotation.ca_overlap, settings_.rotation.ca_overlap);
    EXPECT_EQ(printed.rotation.ca_publish_wait, settings_.rotation.ca_publish_wait);
    EXPECT_EQ(printed.webhook_configurations, settings_.webhook_configurations);
}

TEST_F(ServeSettingsTest, NamesBothWaysToASourceOfState) {
    EXPECT_THAT(check(given({})),
                ElementsAre(AllOf(HasSubstr("--manifests DIR"), HasSubstr("--kubeconfig FILE"))));
    EXPECT_EQ(settings_.cluster, std::nullopt);
}

TEST_F(ServeSettingsTest, TakesTheClusterThatIsFound) {
    found_ = cluster_at("10.0.0.1");
    EXPECT_THAT(check(given({})), IsEmpty());
    EXPECT_EQ(settings_.cluster, cluster_at("10.0.0.1"));
    EXPECT_EQ(settings_.certificates, Certificates::Files);
}

TEST_F(ServeSettingsTest, LooksForAClusterInWhatTheProcessWasStartedWith) {
    Invocation invocation;
    invocation.arguments = {"--kubeconfig", "/etc/k.conf"};
    invocation.environment = {{"KUBECONFIG", "a:b"}, {"HOME", "/home/me"}};
    EXPECT_THAT(check(configure(serve_options(settings_), invocation)), testing::SizeIs(1));
    ASSERT_THAT(sources_, testing::SizeIs(1));
    EXPECT_EQ(sources_[0].kubeconfig, "/etc/k.conf");
    EXPECT_EQ(sources_[0].environment, invocation.environment);
    EXPECT_EQ(sources_[0].service_account, client::ClusterSources{}.service_account);
}

TEST_F(ServeSettingsTest, TheServiceIsInThePodsOwnNamespaceUnlessItIsSaid) {
    Invocation invocation;
    invocation.arguments = {"--manifests", "x"};
    invocation.environment = {{"POD_NAMESPACE", "training"}};
    EXPECT_THAT(check(configure(serve_options(settings_), invocation)), IsEmpty());
    EXPECT_EQ(settings_.service_namespace, "training");
    invocation.arguments = {"--manifests", "x", "--service-namespace", "other"};
    EXPECT_THAT(check(configure(serve_options(settings_), invocation)), IsEmpty());
    EXPECT_EQ(settings_.service_namespace, "other");
}

TEST_F(ServeSettingsTest, SaysWhatIsWrongWithTheClusterThatIsFound) {
    found_ = fail(Code::BadRequest, "/etc/k.conf: users[dev].token is no string");
    EXPECT_THAT(check(given({})),
                ElementsAre("finding the cluster: /etc/k.conf: users[dev].token is no string"));
}

TEST_F(ServeSettingsTest, LooksForNoClusterWhenThereAreManifests) {
    found_ = cluster_at("10.0.0.1");
    EXPECT_THAT(check(given({"--manifests", "x"})), IsEmpty());
    EXPECT_THAT(sources_, IsEmpty());
    EXPECT_EQ(settings_.cluster, std::nullopt);
}

TEST_F(ServeSettingsTest, StateComesFromManifestsOrFromAKubeconfigNotFromBoth) {
    EXPECT_THAT(check(given({"--manifests", "x", "--kubeconfig", "y"})),
                ElementsAre(AllOf(HasSubstr("--manifests"), HasSubstr("--kubeconfig"))));
    EXPECT_THAT(sources_, IsEmpty());
}

TEST_F(ServeSettingsTest, LooksForNoClusterWhenTheFlagOfTheSourceIsMistyped) {
    for (const auto* flag : {"--manifest=x", "--kubeconfi=x"}) {
        const auto configured = given({flag});
        EXPECT_THAT(configured.errors, ElementsAre(HasSubstr("did you mean"))) << flag;
        EXPECT_THAT(check(configured), IsEmpty()) << flag;
    }
    EXPECT_THAT(sources_, IsEmpty());
}

TEST_F(ServeSettingsTest, AWatchMayBeSilentForASecondAtLeast) {
    EXPECT_THAT(given({"--watch-silence=1s"}).errors, IsEmpty());
    EXPECT_EQ(settings_.watch_silence, std::chrono::seconds{1});
    EXPECT_THAT(given({"--watch-silence=999ms"}).errors, ElementsAre(HasSubstr("1s at least")));
    EXPECT_THAT(given({"--watch-silence=soon"}).errors, ElementsAre(HasSubstr("a duration")));
    EXPECT_THAT(given({"--max-staleness=-1s"}).errors, ElementsAre(HasSubstr("negative")));
    EXPECT_THAT(given({"--max-staleness=119s"}).errors, ElementsAre(HasSubstr("120s at least")));
    EXPECT_THAT(given({"--max-staleness=2m"}).errors, IsEmpty());
    EXPECT_EQ(settings_.watch_silence, std::chrono::seconds{1});
}

TEST_F(ServeSettingsTest, ManifestsImplyAnEphemeralCertificateUnlessOneIsGiven) {
    EXPECT_THAT(check(given({"--manifests", "x"})), IsEmpty());
    EXPECT_EQ(settings_.certificates, Certificates::Ephemeral);
}

TEST_F(ServeSettingsTest, ManifestsLeaveAGivenCertificateAlone) {
    EXPECT_THAT(check(given({"--manifests", "x", "--cert-dir", "/certs"})), IsEmpty());
    EXPECT_EQ(settings_.certificates, Certificates::Files);
}

TEST_F(ServeSettingsTest, SelfSignedIsShortForEphemeral) {
    EXPECT_THAT(check(given({"--manifests", "x", "--cert-dir", "y", "--self-signed"})), IsEmpty());
    EXPECT_EQ(settings_.certificates, Certificates::Ephemeral);
}

TEST_F(ServeSettingsTest, TheCaOfFilesIsNotOursToWrite) {
    const auto errors = check(given({"--manifests", "x", "--cert-dir", "y", "--ca-out", "z"}));
    EXPECT_THAT(errors, ElementsAre(HasSubstr("--ca-out")));
}

TEST_F(ServeSettingsTest, NobodyIsAskedForACertificateByDefault) {
    ASSERT_THAT(check(given({"--manifests", "x"})), IsEmpty());
    EXPECT_EQ(settings_.callers.mode, tls::ClientAuth::Off);
}

TEST_F(ServeSettingsTest, CallersAreAskedWithACa) {
    for (const auto& [word, mode] :
         {std::pair{"report", tls::ClientAuth::Report}, {"require", tls::ClientAuth::Require}}) {
        const auto configured =
            given({"--manifests", "x", "--client-auth", word, "--client-ca-file", "ca.crt",
                   "--client-allowed-names", "kube-apiserver,10.0.0.1"});
        EXPECT_THAT(configured.errors, IsEmpty());
        EXPECT_THAT(check(configured), IsEmpty());
        EXPECT_EQ(settings_.callers.mode, mode);
        EXPECT_EQ(settings_.client_ca_file, "ca.crt");
        EXPECT_THAT(settings_.callers.allowed_names, ElementsAre("kube-apiserver", "10.0.0.1"));
    }
}

TEST_F(ServeSettingsTest, FlagsAboutCallersThatWouldDoNothingAreMistakes) {
    struct Case {
        std::vector<std::string> arguments;
        std::vector<const char*> named;
    };
    const std::vector<Case> cases{
        {{"--client-auth=report"}, {"--client-auth needs --client-ca-file"}},
        {{"--client-auth=require"}, {"--client-auth needs --client-ca-file"}},
        {{"--client-auth=require", "--client-ca-file="}, {"--client-auth needs --client-ca-file"}},
        {{"--client-ca-file=ca.crt"}, {"--client-ca-file needs --client-auth"}},
        {{"--client-allowed-names=a", "--client-auth=off"},
         {"--client-allowed-names needs --client-auth"}},
        {{"--client-ca-file=ca.crt", "--client-allowed-names=a"},
         {"--client-ca-file needs", "--client-allowed-names needs"}},
    };
    for (const auto& [arguments, named] : cases) {
        settings_ = {};
        auto all = arguments;
        all.emplace_back("--manifests=x");
        const auto errors = check(given(all));
        ASSERT_EQ(errors.size(), named.size()) << arguments.front();
        for (std::size_t index = 0; index < named.size(); ++index) {
            EXPECT_THAT(errors[index], HasSubstr(named[index]));
        }
    }
}

TEST_F(ServeSettingsTest, AMistypedWordAboutCallersIsTheOnlyMistakeThatIsTold) {
    const auto configured = given({"--manifests=x", "--client-auth=on", "--client-ca-file=ca.crt"});
    EXPECT_THAT(configured.errors, ElementsAre(HasSubstr("must be off, report or require")));
    EXPECT_THAT(check(configured), IsEmpty());
}

TEST_F(ServeSettingsTest, SelfManagedCertificatesTakeTheirLifetimes) {
    found_ = cluster_at("10.0.0.1");
    const auto configured =
        given({"--certificates=self-managed", "--leaf-lifetime=1h", "--ca-lifetime=72h",
               "--ca-overlap=2h", "--ca-publish-wait=90s", "--webhook-configuration=a,b"});
    EXPECT_THAT(configured.errors, IsEmpty());
    EXPECT_THAT(check(configured), IsEmpty());
    EXPECT_EQ(settings_.certificates, Certificates::SelfManaged);
    EXPECT_EQ(settings_.rotation.leaf_lifetime, std::chrono::hours{1});
    EXPECT_EQ(settings_.rotation.ca_lifetime, std::chrono::hours{72});
    EXPECT_EQ(settings_.rotation.ca_overlap, std::chrono::hours{2});
    EXPECT_EQ(settings_.rotation.ca_publish_wait, std::chrono::seconds{90});
    EXPECT_THAT(settings_.webhook_configurations, ElementsAre("a", "b"));
}

TEST_F(ServeSettingsTest, SelfManagedCertificatesThatCannotWorkAreMistakes) {
    struct Case {
        std::vector<std::string> arguments;
        const char* named;
    };
    const std::vector<Case> cases{
        {{"--manifests=x"}, "--certificates=self-managed needs a cluster"},
        {{"--webhook-configuration="}, "--webhook-configuration names none"},
        {{"--webhook-configuration=a,b,a"}, "--webhook-configuration names one twice"},
        {{"--leaf-lifetime=2921h"}, "--leaf-lifetime must be a third of --ca-lifetime"},
        {{"--leaf-lifetime=179s"}, "--ca-publish-wait must be a third of --leaf-lifetime"},
        {{"--ca-overlap=2921h"}, "--ca-overlap must be a third of --ca-lifetime"},
    };
    for (const auto& [arguments, named] : cases) {
        settings_ = {};
        found_ = cluster_at("10.0.0.1");
        auto all = arguments;
        all.emplace_back("--certificates=self-managed");
        EXPECT_THAT(check(given(all)), ElementsAre(HasSubstr(named))) << arguments.front();
    }
}

TEST_F(ServeSettingsTest, LifetimesHaveBounds) {
    for (const auto* text : {"0s", "-1h", "900ms", "200000h", "long", ""}) {
        EXPECT_THAT(given({fmt::format("--leaf-lifetime={}", text)}).errors,
                    ElementsAre(HasSubstr("must be")))
            << text;
    }
}

TEST_F(ServeSettingsTest, FlagsOfSelfManagedCertificatesThatWouldDoNothingAreMistakes) {
    for (const auto* flag : {"--webhook-configuration=a", "--leaf-lifetime=1h", "--ca-lifetime=1h",
                             "--ca-overlap=1h", "--ca-publish-wait=1m"}) {
        settings_ = {};
        EXPECT_THAT(check(given({"--manifests=x", flag})),
                    ElementsAre(HasSubstr("needs --certificates=self-managed")))
            << flag;
    }
    EXPECT_THAT(check(given({"--manifests=x", "--certificates=magic", "--ca-overlap=1h"})),
                IsEmpty())
        << "the mistyped word is what is told";
}

TEST_F(ServeSettingsTest, UnknownSystemsAreNamed) {
    const auto errors = check(given({"--manifests", "x", "--enable", "checkpoint-restore,magic"}));
    EXPECT_THAT(errors, ElementsAre(HasSubstr("\"magic\"")));
}

TEST_F(ServeSettingsTest, TheOriginalsFlagsAreTakenAndMapped) {
    const auto configured =
        given({"--leader-elect", "--leader-election-id=x", "--zap-log-level=error",
               "--zap-encoder=json", "--zap-devel=true", "--zap-time-encoding=iso8601"});
    ASSERT_THAT(configured.errors, IsEmpty());
    EXPECT_EQ(settings_.log.level, log::Level::Error);
    EXPECT_EQ(settings_.log.format, log::Format::Json);
    EXPECT_THAT(settings_.ignored,
                testing::UnorderedElementsAre("leader-elect", "leader-election-id", "zap-devel",
                                              "zap-time-encoding"));
}

TEST_F(ServeSettingsTest, AZapNumberMeansDebug) {
    ASSERT_THAT(given({"--zap-log-level=5"}).errors, IsEmpty());
    EXPECT_EQ(settings_.log.level, log::Level::Debug);
}

TEST_F(ServeSettingsTest, TakesTlsVersionsInBothSpellings) {
    ASSERT_THAT(given({"--tls-min-version=1.3"}).errors, IsEmpty());
    EXPECT_EQ(settings_.tls.min_version, tls::ProtocolVersion::Tls13);
    ASSERT_THAT(given({"--tls-min-version=VersionTLS12"}).errors, IsEmpty());
    EXPECT_EQ(settings_.tls.min_version, tls::ProtocolVersion::Tls12);
}

TEST_F(ServeSettingsTest, TellsAllMistakesAtOnce) {
    const auto configured =
        given({"--webhook-port=99999", "--on-error=maybe", "--tls-cipher-suites=ROT13",
               "--shutdown-delay=-1s", "--certificates=self", "--max-connections=0",
               "--log-format=xml", "--tls-min-version=1.1", "--threads=100000"});
    EXPECT_EQ(configured.errors.size(), 9U);
}

}  // namespace
}  // namespace smw::app
