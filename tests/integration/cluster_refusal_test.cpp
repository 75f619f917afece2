// What can be answered instead of a list or a watch.
#include "integration/watched_cluster.hpp"

namespace smw::watch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using ClusterRefusal = WatchedCluster;

/// The state stays, the problem is told, and the watch goes on at the same version.
TEST_F(ClusterRefusal, AWatchThatIsRefusedGoesOnWhereItWas) {
    const std::vector<std::pair<int, std::string>> refusals{
        {403, "Forbidden"},          {429, "TooManyRequests"}, {500, "InternalError"},
        {503, "ServiceUnavailable"}, {504, "Timeout"},         {418, "Teapot"}};
    script.watch(stream_reply({Send{bookmark("11") + "\n"}, Close{}}));
    for (const auto& [code, reason] : refusals) {
        script.watch(test::status_reply(code, reason));
    }
    auto redirect = test::status_reply(307, "Redirect");
    redirect.headers.emplace("Location", "https://example.com/");
    script.watch(redirect);
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "12"))}));
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    const auto watches = calls("watch");
    ASSERT_EQ(watches.size(), refusals.size() + 3);
    for (std::size_t at = 1; at < watches.size(); ++at) {
        EXPECT_EQ(watches[at].parameter("resourceVersion"), "11");
    }
    EXPECT_EQ(calls("list").size(), 1U);
    EXPECT_TRUE(eventually_well());
    EXPECT_TRUE(eventually_logged("Watch resumed"));
}

TEST_F(ClusterRefusal, AListThatIsRefusedIsAskedForAgain) {
    for (const int code : {400, 401, 401, 403, 410, 422, 429, 500, 503, 504}) {
        script.list(test::status_reply(code, "NotNow"));
    }
    script.list(body_reply("no JSON"));
    script.list(body_reply("[]"));
    script.list(body_reply(R"({"items":[]})"));
    script.list(body_reply(R"({"metadata":{"resourceVersion":"10"},"items":7})"));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=red"})) << output.text();
    EXPECT_TRUE(eventually_well());
    EXPECT_TRUE(eventually_relists("initial", 1));
}

TEST_F(ClusterRefusal, MissingRightsAreAnErrorThatNamesThem) {
    for (int round = 0; round < 1000; ++round) {
        script.watch(test::status_reply(403, "Forbidden", "user cannot watch things"));
    }
    start_with_a();
    ASSERT_TRUE(eventually_problem("things")) << output.text();
    EXPECT_TRUE(eventually_logged("Watch refused; serving the last good state"));
    EXPECT_EQ(output.count(log::Level::Error), 1U) << output.text();
    EXPECT_THAT(problem(), HasSubstr("watch"));
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red"));
}

TEST_F(ClusterRefusal, GoneMeansARelist) {
    script.list(body_reply(page({object("a", "red", "5")}, "10")));
    script.list(body_reply(page({object("b", "red", "15")}, "20")));
    script.list(body_reply(page({object("c", "red", "25")}, "30")));
    script.watch(lines_reply({error(410, "Expired")}));
    script.watch(stream_reply({Send{bookmark("21") + "\n"}, Close{}}));
    script.watch(test::status_reply(410, "Expired"));
    start();
    ASSERT_TRUE(eventually_content({"ns/c=red"})) << output.text();
    EXPECT_TRUE(eventually_relists("initial", 1));
    EXPECT_TRUE(eventually_relists("gone", 2));
    EXPECT_EQ(relists("error"), 0);
}

TEST_F(ClusterRefusal, AnExpiredPageTokenBeginsTheListAnew) {
    script.list(body_reply(page({object("a", "red", "5")}, "10", "t1")));
    script.list(test::status_reply(410, "Expired"));
    script.list(body_reply(page({object("b", "red", "11")}, "12", "t2")));
    script.list(body_reply(page({object("c", "red", "11")}, "12")));
    start();
    EXPECT_TRUE(eventually_content({"ns/b=red", "ns/c=red"})) << output.text();
    EXPECT_EQ(calls("list").at(2).parameter("continue"), "");
}

TEST_F(ClusterRefusal, AListThatDoesNotEndIsAProblem) {
    for (int round = 0; round < 2; ++round) {
        script.list(body_reply(page({object("a", "red", "5")}, "10", "again")));
    }
    start();
    EXPECT_TRUE(eventually_problem("the list does not end"));
    EXPECT_FALSE(synced.is_set());
}

TEST_F(ClusterRefusal, ASlowAnswerIsGivenUp) {
    settings.answer = 200ms;
    script.list(stream_reply({test::Sleep{20s}, Close{}}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=red"})) << output.text();
}

TEST_F(ClusterRefusal, TheLastStateServesWhileTheServerIsAway) {
    script.watch(stream_reply({Hold{}}));
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "11"))}));
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=red"}));
    ASSERT_TRUE(test::eventually([&] { return calls("watch").size() == 1; }));
    server.stop();
    ASSERT_TRUE(eventually_problem("things")) << output.text();
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red"));
    EXPECT_EQ(metric("smw_cache_synced{resource=\"things\"}"), 1);
    server.start();
    EXPECT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_TRUE(eventually_well());
    EXPECT_TRUE(eventually_logged("Watch interrupted; serving the last good state"));
    EXPECT_TRUE(eventually_logged("Watch resumed"));
    EXPECT_EQ(calls("list").size(), 1U);
}

TEST_F(ClusterRefusal, StalenessIsToldAndEnds) {
    max_staleness = 100ms;
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=red"}));
    ASSERT_TRUE(test::eventually([&] { return calls("watch").size() == 1; }));
    server.stop();
    ASSERT_TRUE(eventually_problem("stale: nothing heard for 0s")) << problem();
    EXPECT_TRUE(eventually_logged("State is stale"));
    script.watch(lines_reply({bookmark("11")}));
    server.start();
    EXPECT_TRUE(eventually_logged("State is fresh again")) << output.text();
}

TEST_F(ClusterRefusal, EndsWhateverItIsDoing) {
    settings.backoff.first = 1h;
    script.list(test::status_reply(500, "InternalError"));
    start();
    EXPECT_TRUE(eventually_problem("things"));
}

}  // namespace
}  // namespace smw::watch::testing
