// The shell of self-managed certificates: what is watched, written, served and told.

#include "integration/rotation_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace smw::cert_rotation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::optional<test::ApiReply> forbid(const test::ApiCall& call, const std::string& method,
                                     const std::string& part) {
    if (call.method == method && call.path.find(part) != std::string::npos) {
        return test::status_reply(403, "Forbidden", "no, no");
    }
    return std::nullopt;
}

TEST_F(SelfManagedTest, OneReplicaMakesWhatAllServe) {
    for (int count = 0; count < 3; ++count) {
        start();
    }
    ASSERT_TRUE(test::eventually([&] {
        return !replicas[0]->served().empty() && replicas[0]->served() == replicas[1]->served() &&
               replicas[1]->served() == replicas[2]->served();
    })) << replicas[0]->log();
    EXPECT_TRUE(test::eventually([&] { return !bundle().empty(); }));
    EXPECT_FALSE(webhook(1)["clientConfig"].contains("caBundle")) << "not ours";
    int writers = 0;
    for (const auto& replica : replicas) {
        EXPECT_TRUE(test::eventually([&] {
            return replica->shows("smw_certificate_rotation_phase{phase=\"steady\"} 1") ||
                   replica->shows("smw_certificate_rotation_phase{phase=\"waiting-for-lease\"} 1");
        })) << replica->log();
        writers +=
            replica->shows("smw_lease_holder{lease=\"stateful-migration-webhook-certificates\"} 1");
        EXPECT_TRUE(test::eventually([&] { return replica->shows("smw_ca_bundle_in_step 1"); }));
        EXPECT_THAT(replica->problem(), IsEmpty());
        const auto key = objects.get(kCa)["data"]["ca.key"].get<std::string>();
        EXPECT_THAT(replica->log(), Not(HasSubstr(key)));
        EXPECT_THAT(replica->log(), Not(HasSubstr("PRIVATE")));
    }
    EXPECT_EQ(writers, 1);
}

TEST_F(SelfManagedTest, AnotherTakesOverFromWhoEnds) {
    start();
    ASSERT_TRUE(test::eventually([&] { return !bundle().empty(); }));
    start();
    ASSERT_TRUE(test::eventually([&] { return replicas[1]->served() == replicas[0]->served(); }));
    replicas.erase(replicas.begin());
    objects.edit(kConfiguration,
                 [](Json& object) { object["webhooks"][0]["clientConfig"]["caBundle"] = ""; });
    EXPECT_TRUE(test::eventually([&] { return !bundle().empty(); })) << replicas[0]->log();
}

TEST_F(SelfManagedTest, ADeletedSecretLeavesWhatIsServedAndComesBack) {
    auto& replica = start();
    ASSERT_TRUE(test::eventually([&] { return !replica.served().empty(); }));
    const auto old = replica.served();
    objects.remove(kCerts);
    ASSERT_TRUE(test::eventually([&] { return replica.served() != old; })) << replica.log();
    EXPECT_THAT(replica.served(), Not(IsEmpty()));
    EXPECT_FALSE(objects.get(kCerts).is_null());
}

TEST_F(SelfManagedTest, AMissingRightIsNamedAndTheRestGoesOnWhenItIsGiven) {
    objects.refuse([](const test::ApiCall& call) { return forbid(call, "POST", "/secrets"); });
    auto& replica = start();
    ASSERT_TRUE(test::eventually([&] { return !replica.problem().empty(); })) << replica.log();
    EXPECT_THAT(replica.problem(), HasSubstr("secrets"));
    EXPECT_THAT(replica.problem(), HasSubstr("verbs: [create]"));
    EXPECT_THAT(replica.log(), HasSubstr("Certificates cannot be looked after"));
    objects.refuse({});
    EXPECT_TRUE(test::eventually([&] { return !replica.served().empty(); }));
    EXPECT_TRUE(test::eventually([&] { return replica.problem().empty(); })) << replica.problem();
}

TEST_F(SelfManagedTest, WithoutALeaseNothingIsWrittenAndThatIsTold) {
    objects.refuse([](const test::ApiCall& call) { return forbid(call, "GET", "/leases"); });
    auto& replica = start();
    ASSERT_TRUE(test::eventually([&] { return !replica.problem().empty(); }));
    EXPECT_THAT(replica.problem(), HasSubstr("stateful-migration-webhook-certificates"));
    const auto asked = [&] {
        return std::ranges::count_if(server.calls(), [](const auto& call) {
            return call.path.find("/leases") != std::string::npos;
        });
    };
    ASSERT_TRUE(test::eventually([&] { return asked() >= 3; }));
    EXPECT_TRUE(objects.get(kCa).is_null()) << "also after the third refusal";
    objects.refuse({});
    EXPECT_TRUE(test::eventually([&] { return replica.problem().empty(); }));
    EXPECT_TRUE(test::eventually([&] { return !replica.served().empty(); }));
}

TEST_F(SelfManagedTest, EventsThatCannotBeStoredStopNothing) {
    objects.refuse([](const test::ApiCall& call) { return forbid(call, "POST", "/events"); });
    auto& replica = start();
    EXPECT_TRUE(test::eventually([&] { return !replica.served().empty() && !bundle().empty(); }))
        << replica.log();
    EXPECT_THAT(replica.problem(), IsEmpty());
}

TEST_F(SelfManagedTest, WhoIsOvertakenLooksAgain) {
    int conflicts = 0;
    objects.refuse([&](const test::ApiCall& call) -> std::optional<test::ApiReply> {
        if (call.method == "PATCH" && ++conflicts <= 2) {
            return test::status_reply(409, "Conflict");
        }
        return std::nullopt;
    });
    auto& replica = start();
    EXPECT_TRUE(test::eventually([&] { return !bundle().empty(); })) << replica.log();
    EXPECT_THAT(replica.problem(), IsEmpty());
    EXPECT_THAT(replica.log(), Not(HasSubstr("cannot be looked after")));
}

TEST_F(SelfManagedTest, WhoeverUndoesEachWriteIsNotFoughtAtFullSpeed) {
    auto& replica = start();
    ASSERT_TRUE(test::eventually([&] { return !bundle().empty(); }));
    int undone = 0;
    const auto undo = [&] {
        if (bundle().empty()) {
            return false;
        }
        objects.edit(kConfiguration,
                     [](Json& object) { object["webhooks"][0]["clientConfig"]["caBundle"] = ""; });
        return ++undone == 5;
    };
    ASSERT_TRUE(test::eventually(undo));
    EXPECT_TRUE(test::eventually([&] { return !replica.problem().empty(); })) << replica.log();
    EXPECT_THAT(replica.problem(), HasSubstr("somebody undoes it"));
    EXPECT_TRUE(test::eventually([&] { return !bundle().empty(); })) << "but it is not given up";
}

TEST_F(SelfManagedTest, AWriteThatChangesNothingIsToldAndNotRepeatedAtOnce) {
    objects.refuse([this](const test::ApiCall& call) -> std::optional<test::ApiReply> {
        if (call.method != "PATCH" || call.path != kConfiguration) {
            return std::nullopt;
        }
        test::ApiReply reply;
        reply.body = objects.get_locked(kConfiguration).dump();
        return reply;
    });
    auto& replica = start();
    ASSERT_TRUE(test::eventually([&] { return !replica.problem().empty(); })) << replica.log();
    EXPECT_THAT(replica.problem(), HasSubstr("is as before"));
    objects.refuse({});
    EXPECT_TRUE(test::eventually([&] { return !bundle().empty(); }));
    EXPECT_TRUE(test::eventually([&] { return replica.problem().empty(); })) << replica.problem();
}

TEST_F(SelfManagedTest, StepsAreEventsOfTheObject) {
    auto& replica = start();
    ASSERT_TRUE(test::eventually([&] { return !replica.served().empty(); }));
    const auto posted = [&] {
        std::vector<std::string> reasons;
        for (const auto& call : server.calls()) {
            if (call.method == "POST" && call.path == "/api/v1/namespaces/ns/events") {
                reasons.push_back(Json::parse(call.body)["reason"]);
            }
        }
        return reasons;
    };
    EXPECT_TRUE(test::eventually([&] { return posted().size() >= 3; }));
    EXPECT_THAT(posted(), testing::IsSupersetOf({"CAIssued", "CABundlePublished", "LeafIssued"}));
}

}  // namespace
}  // namespace smw::cert_rotation
