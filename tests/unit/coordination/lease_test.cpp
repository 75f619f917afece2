#include "smw/coordination/lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace smw::coordination {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using ::testing::HasSubstr;

Expected<Lease> read(const std::string& text) {
    const auto document = json::Document::parse(text);
    EXPECT_TRUE(document) << text;
    return read_lease(document->root());
}

/// A Lease with this spec.
std::string lease_with(const std::string& spec) {
    return R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
           R"("metadata":{"name":"l","namespace":"n","resourceVersion":"7"},"spec":)" +
           spec + "}";
}

LeaseRecord record_of(const std::string& spec) {
    const auto lease = read(lease_with(spec));
    EXPECT_TRUE(lease) << spec;
    return lease ? lease->record : LeaseRecord{};
}

const WallTime kTime = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 9h + 8min + 7s;

TEST(Lease, ReadsWhatClientGoWrites) {
    const auto record = record_of(
        R"({"holderIdentity":"kube-controller-manager_1","leaseDurationSeconds":15,)"
        R"("acquireTime":"2026-11-21T09:08:07.000000Z","renewTime":"2026-11-21T09:08:07.000042Z",)"
        R"("leaseTransitions":3})");
    EXPECT_EQ(record.holder_identity, "kube-controller-manager_1");
    EXPECT_EQ(record.lease_duration_seconds, 15);
    EXPECT_EQ(record.acquire_time, kTime);
    EXPECT_EQ(record.renew_time, kTime + 42us);
    EXPECT_EQ(record.lease_transitions, 3);
}

TEST(Lease, TakesWhatIsGarbageForAbsent) {
    const LeaseRecord empty;
    for (const char* spec : {
             "{}",
             "null",
             "7",
             "[]",
             R"({"holderIdentity":7,"leaseDurationSeconds":"15","acquireTime":1,"renewTime":{}})",
             R"({"holderIdentity":"","leaseDurationSeconds":-15,"leaseTransitions":-1})",
             R"({"renewTime":"yesterday","acquireTime":"2026-13-21T09:08:07Z"})",
             R"({"leaseDurationSeconds":1.5,"leaseTransitions":null})",
         }) {
        EXPECT_EQ(record_of(spec), empty) << spec;
    }
    EXPECT_EQ(record_of(R"({"leaseDurationSeconds":9223372036854775807})").lease_duration_seconds,
              2'147'483'647);
}

TEST(Lease, IsNoneWithoutAVersionToReplace) {
    const struct {
        const char* text;
        const char* why;
    } cases[] = {
        {R"({})", "no Lease"},
        {R"([])", "no Lease"},
        {R"({"kind":"Secret","metadata":{"resourceVersion":"7"}})", "no Lease"},
        {R"({"kind":"Lease"})", "no metadata.resourceVersion"},
        {R"({"kind":"Lease","metadata":{}})", "no metadata.resourceVersion"},
        {R"({"kind":"Lease","metadata":{"resourceVersion":""}})", "no metadata.resourceVersion"},
        {R"({"kind":"Lease","metadata":{"resourceVersion":7}})", "no metadata.resourceVersion"},
    };
    for (const auto& [text, why] : cases) {
        const auto lease = read(text);
        ASSERT_FALSE(lease) << text;
        EXPECT_EQ(lease.error().code, Code::BadRequest);
        EXPECT_THAT(lease.error().message, HasSubstr(why));
    }
}

TEST(Lease, IsWrittenAsTheApiHasIt) {
    LeaseRecord record;
    record.holder_identity = "a\"b";
    record.lease_duration_seconds = 15;
    record.acquire_time = kTime;
    record.renew_time = kTime + 42us + 999ns;
    record.lease_transitions = 2;
    const auto body = lease_body(kube::ObjectKey{"n", "l"}, record);
    EXPECT_EQ(Json::parse(body.json), Json::parse(R"({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "l", "namespace": "n",
                     "labels": {"app": "stateful-migration-webhook"}},
        "spec": {"holderIdentity": "a\"b", "leaseDurationSeconds": 15, "leaseTransitions": 2,
                 "acquireTime": "2026-11-21T09:08:07.000000Z",
                 "renewTime": "2026-11-21T09:08:07.000042Z"}})"));
}

TEST(Lease, KeepsWhatOthersHaveWrittenBesideTheSpec) {
    const auto lease = read(R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1",
        "metadata":{"name":"l","resourceVersion":"7","uid":"u","labels":{"a":"b"},
                    "ownerReferences":[{"name":"o"}]},
        "spec":{"holderIdentity":"x","leaseDurationSeconds":15}})");
    ASSERT_TRUE(lease);
    LeaseRecord record;
    record.lease_duration_seconds = 1;
    const auto body = lease_body(lease->object, record);
    ASSERT_TRUE(body);
    auto expected = Json::parse(lease->object.json);
    expected["spec"] = {
        {"holderIdentity", ""}, {"leaseDurationSeconds", 1}, {"leaseTransitions", 0}};
    EXPECT_EQ(Json::parse(body->json), expected);
}

TEST(Lease, GetsASpecWhereThereIsNone) {
    const auto lease = read(R"({"kind":"Lease","metadata":{"resourceVersion":"7"}})");
    ASSERT_TRUE(lease);
    LeaseRecord record;
    record.holder_identity = "x";
    const auto body = lease_body(lease->object, record);
    ASSERT_TRUE(body);
    EXPECT_EQ(Json::parse(body->json)["spec"]["holderIdentity"], "x");
    EXPECT_FALSE(lease_body(json::Text{"no JSON"}, record));
}

TEST(Lease, ComesBackAsItWasWritten) {
    LeaseRecord record;
    record.holder_identity = "x";
    record.lease_duration_seconds = 15;
    record.acquire_time = kTime - 1us;
    record.renew_time = WallTime{} - 1us;
    record.lease_transitions = 4;
    auto object = Json::parse(lease_body(kube::ObjectKey{"n", "l"}, record).json);
    object["metadata"]["resourceVersion"] = "8";
    const auto lease = read(object.dump());
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->record, record);
}

TEST(Lease, TakesTimesThatTheClockDoesNotReach) {
    LeaseRecord record;
    record.acquire_time = WallTime::min();
    record.renew_time = WallTime::max();
    const auto spec = Json::parse(lease_body(kube::ObjectKey{"n", "l"}, record).json)["spec"];
    EXPECT_EQ(spec["acquireTime"], "1677-09-21T00:12:43.145224Z");
    EXPECT_EQ(spec["renewTime"], "2262-04-11T23:47:16.854775Z");
}

}  // namespace
}  // namespace smw::coordination
