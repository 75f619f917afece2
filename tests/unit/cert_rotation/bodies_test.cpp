#include "smw/cert_rotation/bodies.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace smw::cert_rotation {
namespace {

using Json = nlohmann::json;

const WallTime kAt{std::chrono::seconds{1795262400}};  // 2026-11-21T12:00:00Z

SecretChange some_change() {
    return {{{"ca.crt", "a"}, {"ca.key", ""}}, {{"rotated", "\"x\""}, {"rotate", std::nullopt}}};
}

TEST(CreateSecret, LeavesOutWhatIsRemoved) {
    EXPECT_EQ(Json::parse(create_secret({"ns", "n"}, kOpaque, some_change()).json), Json::parse(R"({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"namespace": "ns", "name": "n", "labels": {"app": "stateful-migration-webhook"},
                     "annotations": {"stateful-migration.dcnlab.com/rotated": "\"x\""}},
        "data": {"ca.crt": "YQ==", "ca.key": ""}})"));
}

TEST(CreateSecret, NeedsNoAnnotations) {
    const auto body = Json::parse(create_secret({"ns", "n"}, kTlsSecret, {}).json);
    EXPECT_EQ(body.at("type"), "kubernetes.io/tls");
    EXPECT_FALSE(body.at("metadata").contains("annotations"));
}

TEST(PatchSecret, NamesTheVersionAndRemovesByNull) {
    EXPECT_EQ(Json::parse(patch_secret({"u", "7"}, some_change()).json), Json::parse(R"({
        "metadata": {"uid": "u", "resourceVersion": "7",
                     "annotations": {"stateful-migration.dcnlab.com/rotated": "\"x\"",
                                     "stateful-migration.dcnlab.com/rotate": null}},
        "data": {"ca.crt": "YQ==", "ca.key": ""}})"));
}

TEST(PatchSecret, TouchesNothingElse) {
    EXPECT_EQ(Json::parse(patch_secret({"u", "7"}, {{{"a", "b"}}, {}}).json).at("metadata").size(),
              2U);
    EXPECT_FALSE(Json::parse(patch_secret({"u", "7"}, {{}, {{"a", "b"}}}).json).contains("data"));
}

TEST(ApplyBundle, HasAllEntriesOfOursAndNothingElse) {
    WebhookConfiguration configuration;
    configuration.name = "n";
    configuration.seen = {"u", "7"};
    configuration.entries = {{"a", "old"}, {"b", ""}};
    EXPECT_EQ(Json::parse(apply_bundle(configuration, "pem").json), Json::parse(R"({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "n", "uid": "u", "resourceVersion": "7"},
        "webhooks": [{"name": "a", "clientConfig": {"caBundle": "cGVt"}},
                     {"name": "b", "clientConfig": {"caBundle": "cGVt"}}]})"));
}

TEST(RequestRotation, IsAnAnnotation) {
    EXPECT_EQ(
        request_rotation({kAt, ""}).json,
        R"({"metadata":{"annotations":{"stateful-migration.dcnlab.com/rotate":"2026-11-21T12:00:00Z"}}})");
    EXPECT_EQ(
        request_rotation({kAt, "stolen"}).json,
        R"({"metadata":{"annotations":{"stateful-migration.dcnlab.com/compromised":"stolen"}}})");
}

EventRecord some_event() {
    EventRecord event;
    event.resource = {"admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration",
                      "mutatingwebhookconfigurations"};
    event.involved = {"ns", "n"};
    event.uid = "u";
    event.reason = "CABundleMended";
    event.message = "a \"text\"";
    event.at = kAt;
    event.host = "pod-1";
    return event;
}

TEST(CreateEvent, IsTakenByTheCoreApi) {
    EXPECT_EQ(Json::parse(create_event(some_event()).json), Json::parse(R"({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"namespace": "ns", "generateName": "n."},
        "involvedObject": {"apiVersion": "admissionregistration.k8s.io/v1",
                           "kind": "MutatingWebhookConfiguration", "namespace": "ns", "name": "n",
                           "uid": "u"},
        "reason": "CABundleMended", "message": "a \"text\"", "type": "Normal",
        "source": {"component": "stateful-migration-webhook", "host": "pod-1"},
        "firstTimestamp": "2026-11-21T12:00:00Z", "lastTimestamp": "2026-11-21T12:00:00Z",
        "count": 1, "reportingComponent": "stateful-migration-webhook",
        "reportingInstance": "pod-1"})"));
}

TEST(CreateEvent, OfAnObjectThatIsNotThereYetHasNoUid) {
    auto event = some_event();
    event.uid = "";
    event.is_warning = true;
    event.resource = {"", "v1", "Secret", "secrets"};
    const auto body = Json::parse(create_event(event).json);
    EXPECT_EQ(body.at("type"), "Warning");
    EXPECT_EQ(body.at("involvedObject").at("apiVersion"), "v1");
    EXPECT_FALSE(body.at("involvedObject").contains("uid"));
}

TEST(CreateEvent, CutsAMessageBetweenCharacters) {
    auto event = some_event();
    event.message = std::string(1023, 'a') + "\u00e9" + "b";
    EXPECT_EQ(Json::parse(create_event(event).json).at("message"), std::string(1023, 'a'));
    event.message = std::string(1022, 'a') + "\u00e9" + "b";
    EXPECT_EQ(Json::parse(create_event(event).json).at("message"),
              std::string(1022, 'a') + "\u00e9");
}

}  // namespace
}  // namespace smw::cert_rotation
