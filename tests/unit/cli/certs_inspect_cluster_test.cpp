// What `certs inspect` finds in a cluster: Secrets, and who is told to trust whom.

#include "unit/cli/certs_inspect_world.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace smw::cli {
namespace {

using CertsInspect = test::CertsInspect;
using nlohmann::json;
using test::kFqdn;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(CertsInspect, ReadsASecret) {
    serve({{"secrets ns/hook", secret({"tls.crt", "tls.key", "ca.crt"})}});
    EXPECT_EQ(inspect({"--secret", "ns/hook"}), 0);
    EXPECT_THAT(out_, StartsWith("Secret ns/hook: good\n  trusted       by ca.crt\n"));
    EXPECT_THAT(out_, Not(HasSubstr("not judged"))) << "its namespace says what is asked for";
    EXPECT_EQ(err_, "stateful-migration-webhook: a warning\n");
    EXPECT_EQ(inspect({"--secret", "hook", "--service-namespace", "ns"}), 0);
    EXPECT_EQ(inspect({"--secret", "hook"}), 1);
    EXPECT_THAT(asked_, ElementsAre("secrets ns/hook", "secrets ns/hook", "secrets default/hook"));
    EXPECT_EQ(out_,
              "Secret default/hook: not good\n"
              "  refused       getting secrets default/hook: not found\n");
}

TEST_F(CertsInspect, SaysWhatASecretLacks) {
    serve({{"secrets ns/empty", R"({"kind": "Secret"})"},
           {"secrets ns/half", secret({"tls.crt"})},
           {"secrets ns/odd", R"({"data": {"tls.crt": "%%%", "tls.key": 7}})"}});
    EXPECT_EQ(inspect({"--secret", "ns/empty"}), 1);
    EXPECT_THAT(out_, HasSubstr("refused       tls.crt is not there\n"
                                "  refused       tls.key is not there\n"));
    EXPECT_EQ(inspect({"--secret", "ns/half"}), 1);
    EXPECT_THAT(out_, HasSubstr("refused       tls.key is not there\n"));
    EXPECT_EQ(inspect({"--secret", "ns/odd"}), 1);
    EXPECT_THAT(out_, HasSubstr("refused       tls.crt of the Secret is no base64\n"
                                "  refused       tls.key is not there\n"));
}

TEST_F(CertsInspect, KnowsTheSecretOfACa) {
    std::filesystem::copy_file(path("d/ca.crt"), path("d/ca-next.crt"));
    std::filesystem::copy_file(path("d/ca.key"), path("d/ca-next.key"));
    serve({{"secrets ns/ca", secret({"ca.crt", "ca.key", "ca-next.crt", "ca-next.key"})}});
    EXPECT_EQ(inspect({"--secret", "ns/ca"}), 0);
    EXPECT_THAT(out_, AllOf(HasSubstr("\n  CA (ca.crt)\n"),
                            HasSubstr("\n  Next CA (ca-next.crt)\n"), Not(HasSubstr("tls.crt"))));
    serve({{"secrets ns/ca", secret({"ca.key", "ca-next.crt", "ca-next.key"})}});
    EXPECT_EQ(inspect({"--secret", "ns/ca"}), 1);
    EXPECT_THAT(out_, HasSubstr("ca.crt is not there"));
}

TEST_F(CertsInspect, AsksEachCaBundle) {
    ASSERT_EQ(run({"issue", "--out", path("other"), "--service-namespace", "ns"}), 0);
    const json service{{"name", "stateful-migration-webhook-service"}, {"namespace", "ns"}};
    const auto entry = [](const char* name, json config) {
        return json{{"name", name}, {"clientConfig", std::move(config)}};
    };
    const json configuration{
        {"webhooks",
         json::array(
             {entry("good", {{"service", service}, {"caBundle", encode_base64(read("d/ca.crt"))}}),
              entry("foreign",
                    {{"service", service}, {"caBundle", encode_base64(read("other/ca.crt"))}}),
              entry("empty", {{"service", service}}),
              entry("elsewhere", {{"url", "https://[::1]:9443/x"},
                                  {"caBundle", encode_base64(read("d/ca.crt"))}}),
              entry("host", {{"url", "https://hook.example:9443/x"},
                             {"caBundle", encode_base64(read("d/ca.crt"))}}),
              entry("odd", {{"service", service}, {"caBundle", "%"}})})}};
    serve({{"mutatingwebhookconfigurations /m", configuration.dump()}});
    const auto report = inspect_json({path("d"), "--webhook-configuration", "m"});
    EXPECT_EQ(status_, 1);
    std::vector<std::string> said;
    for (const auto& verdict : report["trust"]) {
        said.push_back(verdict["by"].get<std::string>() + " | " +
                       verdict["name"].get<std::string>() + " | " +
                       verdict["why"].get<std::string>());
    }
    const std::string in = " in MutatingWebhookConfiguration m | ";
    const std::string bundle = "caBundle of webhook ";
    const std::string fqdn = kFqdn;
    EXPECT_THAT(
        said,
        ElementsAre(
            "ca.crt |  | ", bundle + "good" + in + fqdn + " | ",
            AllOf(StartsWith(bundle + "foreign" + in + fqdn +
                             " | the issuer of CN=stateful-migration-webhook-service, "
                             "CN=stateful-migration-webhook-ca-"),
                  HasSubstr(", is not in it")),
            bundle + "empty" + in + fqdn +
                " | it is empty, and API servers then trust what their system trusts",
            bundle + "elsewhere" + in +
                "::1 | CN=stateful-migration-webhook-service has no SAN ::1",
            bundle + "host" + in +
                "hook.example | CN=stateful-migration-webhook-service has no SAN hook.example",
            bundle + "odd" + in + fqdn + " | there is no PEM certificate in the CA bundle"));
    EXPECT_EQ(inspect({path("d"), "--webhook-configuration", "m"}), 1);
    EXPECT_THAT(out_, HasSubstr("  trusted       by caBundle of webhook good in "
                                "MutatingWebhookConfiguration m, asked for as " +
                                fqdn + "\n  not trusted   by caBundle of webhook foreign in"));
}

TEST_F(CertsInspect, FindsAValidatingConfigurationToo) {
    const json bundle{
        {"service", {{"name", "stateful-migration-webhook-service"}, {"namespace", "ns"}}},
        {"caBundle", encode_base64(read("d/ca.crt"))}};
    serve({{"validatingwebhookconfigurations /v",
            json{{"webhooks", json::array({{{"name", "a"}, {"clientConfig", bundle}}})}}.dump()},
           {"mutatingwebhookconfigurations /none", R"({"webhooks": []})"}});
    EXPECT_EQ(inspect({path("d"), "--webhook-configuration", "v"}), 0);
    EXPECT_THAT(out_, HasSubstr("by caBundle of webhook a in ValidatingWebhookConfiguration v"));
    EXPECT_EQ(inspect({path("d"), "--webhook-configuration", "x"}), 1);
    EXPECT_THAT(err_, HasSubstr("--webhook-configuration: getting mutatingwebhookconfigurations "
                                "/x: not found\n"));
    EXPECT_EQ(inspect({path("d"), "--webhook-configuration", "none"}), 1);
    EXPECT_THAT(err_, HasSubstr("MutatingWebhookConfiguration none has no webhooks\n"));
}

}  // namespace
}  // namespace smw::cli
