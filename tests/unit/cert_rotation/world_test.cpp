#include "smw/cert_rotation/world.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::cert_rotation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

json::Document parse(std::string text) {
    return json::Document::parse(std::move(text)).value();
}

WebhookConfiguration configuration(std::string text) {
    const auto document = parse(std::move(text));
    return read_configuration(document.root(), ConfigurationKind::Validating, {"ns", "svc"});
}

TEST(ReadCaSecret, HasDataAndAnnotations) {
    const auto document =
        parse(R"({"metadata": {"uid": "u", "resourceVersion": "7", "annotations": {
        "stateful-migration.dcnlab.com/ca-in-use-since": "a", "stateful-migration.dcnlab.com/rotate": "",
        "stateful-migration.dcnlab.com/compromised": "c", "stateful-migration.dcnlab.com/rotated": "d",
        "stateful-migration.dcnlab.com/compromised-done": "e", "stateful-migration.dcnlab.com/old-ca": "f",
        "stateful-migration.dcnlab.com/next-made-for": "g", "rotate": "of somebody else"}},
        "data": {"ca.crt": "YQ==", "ca.key": "Yg==", "ca-next.crt": "Yw==", "ca-next.key": ""}})");
    const auto secret = read_ca_secret(document.root());
    EXPECT_EQ(secret.seen, (Seen{"u", "7"}));
    EXPECT_EQ(secret.ca_crt, (SecretValue{"ca.crt", "a", ""}));
    EXPECT_EQ(secret.ca_key.bytes, "b");
    EXPECT_EQ(secret.next_crt.bytes, "c");
    EXPECT_EQ(secret.next_key, (SecretValue{"ca-next.key", "", ""}));
    EXPECT_EQ(secret.in_use_since, "a");
    EXPECT_EQ(secret.rotate, "");
    EXPECT_EQ(secret.compromised, "c");
    EXPECT_EQ(secret.rotated, "d");
    EXPECT_EQ(secret.compromised_done, "e");
    EXPECT_EQ(secret.old_ca, "f");
    EXPECT_EQ(secret.next_made_for, "g");
}

TEST(ReadSecret, SaysWhatIsWrongWithEachKey) {
    const auto document =
        parse(R"({"data": {"tls.crt": "not base64", "tls.key": ["YQ=="], "ca.crt": null}})");
    const auto secret = read_certs_secret(document.root());
    EXPECT_EQ(secret.tls_crt, (SecretValue{"tls.crt", "", "has a tls.crt that is no base64"}));
    EXPECT_EQ(secret.tls_key, (SecretValue{"tls.key", "", "has a tls.key that is no base64"}));
    EXPECT_EQ(secret.ca_crt, (SecretValue{"ca.crt", "", "has no ca.crt"}));
    EXPECT_FALSE(secret.ca_crt.is_there());
}

class Garbage : public testing::TestWithParam<const char*> {};

TEST_P(Garbage, IsReadAsNothing) {
    const auto document = parse(GetParam());
    const auto secret = read_ca_secret(document.root());
    EXPECT_EQ(secret.seen, Seen{});
    EXPECT_EQ(secret.ca_crt.problem, "has no ca.crt");
    EXPECT_EQ(secret.in_use_since, std::nullopt);
    EXPECT_EQ(read_certs_secret(document.root()).tls_key.problem, "has no tls.key");
    EXPECT_THAT(configuration(GetParam()).entries, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Of, Garbage,
    testing::Values(
        R"(null)", R"([])", R"("text")", R"({})", R"({"metadata": 1, "data": 2})",
        R"({"metadata": {"uid": {}, "annotations": []}, "data": null, "webhooks": {}})",
        R"({"metadata": {"annotations": {"stateful-migration.dcnlab.com/ca-in-use-since": 1}},
                        "webhooks": [null, 1, {}, {"name": "a"}, {"name": "a", "clientConfig": []},
                                     {"name": 1, "clientConfig": {"service": {"name": "svc", "namespace": "ns"}}},
                                     {"name": "a", "clientConfig": {"service": {"name": "svc"}}}]})"));

TEST(ReadConfiguration, HasTheEntriesThatCallOurService) {
    const auto read =
        configuration(R"({"metadata": {"name": "n", "uid": "u", "resourceVersion": "1"},
        "webhooks": [
            {"name": "a", "clientConfig": {"caBundle": "YQ==", "service": {"name": "svc", "namespace": "ns"}}},
            {"name": "b", "clientConfig": {"caBundle": "YQ==", "service": {"name": "svc", "namespace": "other"}}},
            {"name": "c", "clientConfig": {"caBundle": "YQ==", "url": "https://svc.ns.svc/"}},
            {"name": "d", "clientConfig": {"service": {"name": "svc", "namespace": "ns"}}},
            {"name": "e", "clientConfig": {"caBundle": "?", "service": {"name": "svc", "namespace": "ns"}}}]})");
    EXPECT_EQ(read.kind, ConfigurationKind::Validating);
    EXPECT_EQ(read.name, "n");
    EXPECT_EQ(read.seen, (Seen{"u", "1"}));
    EXPECT_THAT(read.entries,
                ElementsAre(WebhookEntry{"a", "a"}, WebhookEntry{"d", ""}, WebhookEntry{"e", ""}));
}

TEST(ConfigurationKind, IsNamedAsTheApiDoes) {
    EXPECT_EQ(to_string(ConfigurationKind::Mutating), "MutatingWebhookConfiguration");
    EXPECT_EQ(to_string(ConfigurationKind::Validating), "ValidatingWebhookConfiguration");
}

}  // namespace
}  // namespace smw::cert_rotation
