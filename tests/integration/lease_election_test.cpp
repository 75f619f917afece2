// Who leads among replicas that share an API server.

#include "lease_world.hpp"

#include <algorithm>

namespace smw::coordination {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = LeaseStore::Json;

TEST_F(LeaseElection, HasOneHolderAndAnotherWhenThatOneEnds) {
    auto first = replica("a", slow());
    ASSERT_TRUE(until([&] { return first->leads(); })) << first->output().text();
    EXPECT_EQ(store_.lease()["spec"]["holderIdentity"], "a");
    EXPECT_EQ(store_.lease()["metadata"]["namespace"], "n");
    auto second = replica("b", slow());
    ASSERT_TRUE(until([&] { return second->holder() == "a"; }));
    const auto renewed = store_.lease()["spec"]["renewTime"];
    ASSERT_TRUE(until([&] { return store_.lease()["spec"]["renewTime"] != renewed; }));
    EXPECT_FALSE(second->leads());
    EXPECT_THAT(first->metrics(), HasSubstr("smw_lease_holder{lease=\"l\"} 1"));
    EXPECT_THAT(second->metrics(), HasSubstr("smw_lease_holder{lease=\"l\"} 0"));

    first->end();
    EXPECT_FALSE(first->leads());
    EXPECT_EQ(store_.lease()["spec"]["holderIdentity"], "");
    EXPECT_EQ(store_.lease()["spec"]["leaseDurationSeconds"], 1);
    ASSERT_TRUE(until([&] { return second->leads(); })) << second->output().text();
    EXPECT_EQ(store_.lease()["spec"]["leaseTransitions"], 1);
    EXPECT_THAT(first->changes(), ElementsAre(true, false));
    EXPECT_THAT(second->changes(), ElementsAre(true));
    EXPECT_THAT(first->metrics(), HasSubstr("smw_lease_holder{lease=\"l\"} 0"));
    EXPECT_EQ(first->output().count("Lease acquired"), 1U);
    EXPECT_EQ(first->output().count("it is given up"), 1U);
    EXPECT_EQ(first->output().count(log::Level::Warn), 0U) << first->output().text();
    EXPECT_EQ(second->output().count("Lease is held by another"), 1U);
}

TEST_F(LeaseElection, HasOneHolderOfManyThatBeginAtOnce) {
    std::vector<std::unique_ptr<Replica>> all;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
        all.push_back(replica(name, slow()));
    }
    ASSERT_TRUE(until([&] {
        return std::all_of(all.begin(), all.end(),
                           [](const auto& one) { return !one->holder().empty(); });
    }));
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const auto& one) { return one->leads(); }),
              1);
    for (const auto& one : all) {
        EXPECT_EQ(one->holder(), store_.lease()["spec"]["holderIdentity"]);
        EXPECT_EQ(one->output().count(log::Level::Warn), 0U) << one->output().text();
    }
}

TEST_F(LeaseElection, GoesToAnotherWhenItsHolderDies) {
    auto first = replica("a", fast());
    ASSERT_TRUE(until([&] { return first->leads(); }));
    auto second = replica("b", fast());
    ASSERT_TRUE(until([&] { return second->holder() == "a"; }));
    first->kill();
    bool both = false;
    ASSERT_TRUE(until([&] {
        both = both || (second->leads() && first->leads());
        return second->leads();
    })) << second->output().text();
    EXPECT_FALSE(both);
    EXPECT_FALSE(first->leads()) << "though nothing of it runs any more";
    EXPECT_EQ(store_.lease()["spec"]["holderIdentity"], "b");
}

TEST_F(LeaseElection, IsLostWhenTheApiServerIsAwayAndFoundAgain) {
    auto only = replica("a", fast());
    ASSERT_TRUE(until([&] { return only->leads(); }));
    server_.stop();
    ASSERT_TRUE(until([&] { return only->changes().size() == 2; })) << only->output().text();
    EXPECT_FALSE(only->leads());
    EXPECT_THAT(only->changes(), ElementsAre(true, false));
    EXPECT_THAT(only->metrics(), HasSubstr("smw_lease_holder{lease=\"l\"} 0"));
    EXPECT_EQ(only->output().count("it was not renewed for 1 s: "), 1U) << only->output().text();
    EXPECT_LE(only->output().count("Lease cannot be read or written"), 2U)
        << "refused or out of time, though it was tried often: " << only->output().text();
    server_.start();
    ASSERT_TRUE(until([&] { return only->leads(); }));
    EXPECT_EQ(store_.lease()["spec"]["leaseTransitions"], 0) << "nobody else had it";
}

TEST_F(LeaseElection, SaysOnceWhichRightIsMissing) {
    store_.refuse([](const test::ApiCall& call) -> std::optional<test::ApiReply> {
        if (call.method == "GET") {
            return std::nullopt;
        }
        return test::status_reply(403, "Forbidden", "User \"x\" cannot create leases");
    });
    auto only = replica("a", slow());
    ASSERT_TRUE(until([&] { return server_.calls().size() > 20; }));
    EXPECT_FALSE(only->leads());
    EXPECT_EQ(only->output().count(log::Level::Error), 1U) << only->output().text();
    EXPECT_EQ(only->output().count("apiGroups: [coordination.k8s.io], resources: [leases], verbs: "
                                   "[create]"),
              1U)
        << only->output().text();
    store_.refuse({});
    EXPECT_TRUE(until([&] { return only->leads(); }));
}

TEST_F(LeaseElection, OutlivesWhatPeopleDoToTheLease) {
    auto only = replica("a", slow());
    ASSERT_TRUE(until([&] { return only->leads(); }));
    store_.change([](Json& lease) { lease["metadata"]["labels"]["team"] = "x"; });
    const auto renewed = store_.lease()["spec"]["renewTime"];
    ASSERT_TRUE(until([&] { return store_.lease()["spec"]["renewTime"] != renewed; }));
    EXPECT_EQ(store_.lease()["metadata"]["labels"]["team"], "x");
    EXPECT_THAT(only->changes(), ElementsAre(true)) << "it did not lose it";

    store_.change([](Json& lease) { lease = nullptr; });
    ASSERT_TRUE(until([&] { return only->changes().size() == 3 && only->leads(); }))
        << only->output().text();
    EXPECT_EQ(only->output().count("somebody has deleted it"), 1U);

    store_.change([](Json& lease) { lease["spec"]["holderIdentity"] = "eve"; });
    ASSERT_TRUE(until([&] { return !only->leads(); }));
    EXPECT_EQ(only->output().count("eve has taken it"), 1U) << only->output().text();
    EXPECT_EQ(only->holder(), "eve");
}

TEST_F(LeaseElection, TakesNothingThatItCannotRead) {
    for (const char* body :
         {R"({"kind":"Lease","metadata":{"name":"l"},"spec":{}})", R"({"kind":"Pod"})", "{", ""}) {
        store_.refuse([body](const test::ApiCall&) -> std::optional<test::ApiReply> {
            test::ApiReply reply;
            reply.body = body;
            return reply;
        });
        const auto before = server_.calls().size();
        auto only = replica("a", slow());
        ASSERT_TRUE(until([&] { return server_.calls().size() > before + 5; }));
        EXPECT_FALSE(only->leads());
        EXPECT_EQ(only->output().count("Lease cannot be read or written"), 1U)
            << only->output().text();
        for (const auto& call : server_.calls()) {
            EXPECT_EQ(call.method, "GET");
        }
    }
}

TEST_F(LeaseElection, EndsInTimeWhenTheApiServerIsAway) {
    auto only = replica("a", slow());
    ASSERT_TRUE(until([&] { return only->leads(); }));
    server_.stop();
    only->end(100ms);
    EXPECT_FALSE(only->leads());
    EXPECT_THAT(only->changes(), ElementsAre(true, false));
    EXPECT_GE(only->output().count("Lease cannot be read or written"), 1U);
}

TEST_F(LeaseElection, AsksNothingAtTheEndWhenItHoldsNothing) {
    auto first = replica("a", slow());
    ASSERT_TRUE(until([&] { return first->leads(); }));
    auto second = replica("b", slow());
    ASSERT_TRUE(until([&] { return second->holder() == "a"; }));
    second->end();
    EXPECT_EQ(store_.lease()["spec"]["holderIdentity"], "a");
    EXPECT_TRUE(second->changes().empty());
}

TEST_F(LeaseElection, GoesOnAfterADefect) {
    auto only = replica("a", slow());
    only->throw_at_next_change();
    ASSERT_TRUE(until([&] { return only->output().count("an exception: a defect") == 1; }))
        << only->output().text();
    const auto renewed = store_.lease()["spec"]["renewTime"];
    EXPECT_TRUE(until([&] { return store_.lease()["spec"]["renewTime"] != renewed; }));
    EXPECT_TRUE(only->leads());
}

}  // namespace
}  // namespace smw::coordination
