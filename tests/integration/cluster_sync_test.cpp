// From nothing to a cache that is full and followed.
#include "integration/watched_cluster.hpp"

namespace smw::watch::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;

using ClusterSync = WatchedCluster;

constexpr auto kSynced = "smw_cache_synced{resource=\"things\"}";
constexpr auto kObjects = "smw_cache_objects{resource=\"things\"}";
constexpr auto kLastEvent = "smw_cache_last_event_timestamp_seconds{resource=\"things\"}";

TEST_F(ClusterSync, ByAStreamingListThatIsFollowed) {
    const auto before = std::chrono::duration<double>(clock.wall().time_since_epoch()).count();
    script.stream(
        lines_reply({event("ADDED", object("a", "red", "7")), event("ADDED", object("b", "red")),
                     end_of_initial_events("10"), event("MODIFIED", object("a", "blue", "11")),
                     event("DELETED", object("b", "", "12"))}));
    start();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    const auto all = server.calls();
    ASSERT_EQ(all.size(), 1U);
    const auto& call = all.front();
    EXPECT_EQ(call.method, "GET");
    EXPECT_EQ(call.path, "/apis/example.com/v1/things");
    EXPECT_EQ(call.parameter("watch"), "1");
    EXPECT_EQ(call.query.count("watch"), 1U);
    EXPECT_EQ(call.query.count("resourceVersion"), 1U);
    EXPECT_EQ(call.parameter("resourceVersion"), "");
    EXPECT_EQ(call.parameter("resourceVersionMatch"), "NotOlderThan");
    EXPECT_EQ(call.parameter("sendInitialEvents"), "true");
    EXPECT_EQ(call.parameter("allowWatchBookmarks"), "true");
    EXPECT_THAT(std::stoi(call.parameter("timeoutSeconds")), AllOf(Ge(240), Le(290)));
    EXPECT_TRUE(test::eventually([&] { return metric(kSynced) == 1; }));
    EXPECT_TRUE(test::eventually([&] { return metric(kObjects) == 1; }));
    EXPECT_GE(metric(kLastEvent), before);
    EXPECT_TRUE(eventually_relists("initial", 1));
    EXPECT_EQ(relists("gone"), 0);
    EXPECT_EQ(relists("error"), 0);
    EXPECT_EQ(problem(), "");
    EXPECT_EQ(output.count("Cache synced"), 1U);
}

TEST_F(ClusterSync, ByPagesWhereStreamingListsAreRefused) {
    script.list(body_reply(page({object("a", "red")}, "10", "t 1&x=y")));
    script.list(body_reply(page({object("b", "red")}, "10")));
    script.watch(lines_reply({event("ADDED", object("c", "red", "11"))}));
    start();
    ASSERT_TRUE(eventually_content({"ns/a=red", "ns/b=red", "ns/c=red"})) << output.text();
    const auto pages = calls("list");
    ASSERT_EQ(pages.size(), 2U);
    EXPECT_EQ(pages[0].parameter("limit"), "500");
    EXPECT_EQ(pages[0].query.count("resourceVersion"), 0U) << "the most recent";
    EXPECT_EQ(pages[0].query.count("continue"), 0U);
    EXPECT_EQ(pages[1].parameter("limit"), "500");
    EXPECT_EQ(pages[1].parameter("continue"), "t 1&x=y");
    const auto watches = calls("watch");
    ASSERT_EQ(watches.size(), 1U);
    EXPECT_EQ(watches[0].parameter("resourceVersion"), "10");
    EXPECT_EQ(watches[0].parameter("allowWatchBookmarks"), "true");
    EXPECT_EQ(watches[0].query.count("sendInitialEvents"), 0U);
    EXPECT_EQ(watches[0].query.count("resourceVersionMatch"), 0U);
    EXPECT_EQ(output.count(log::Level::Warn) + output.count(log::Level::Error), 0U)
        << output.text();
}

TEST_F(ClusterSync, ByPagesWhereStreamingListsAreNotUnderstood) {
    settings.silence = 200ms;
    script.stream(lines_reply({event("ADDED", object("old", "red", "7"))}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=red"})) << output.text();
}

TEST_F(ClusterSync, IsNotSyncedBeforeTheListHasEnded) {
    script.stream(lines_reply({event("ADDED", object("a", "red", "7"))}));
    start();
    ASSERT_TRUE(test::eventually([&] { return sink.size() == 1; }));
    EXPECT_FALSE(synced.is_set());
    EXPECT_EQ(metric(kSynced), 0);
    EXPECT_EQ(output.count("Cache synced"), 0U);
}

TEST_F(ClusterSync, ASmallerPageIsAskedForWhenOneIsTooLarge) {
    script.list(body_reply(page({object("a", std::string(5 << 20, 'x'))}, "10")));
    script.list(body_reply(page({object("a", "red")}, "10")));
    start();
    ASSERT_TRUE(eventually_content({"ns/a=red"})) << output.text();
    const auto pages = calls("list");
    ASSERT_EQ(pages.size(), 2U);
    EXPECT_EQ(pages[1].parameter("limit"), "125");
}

TEST_F(ClusterSync, NamespacesOneByOne) {
    script.list(body_reply(page({object("a", "red", "5", "one")}, "10")), "one");
    script.watch(lines_reply({event("ADDED", object("b", "red", "11", "one"))}), "one");
    script.list(test::status_reply(403, "Forbidden"), "two");
    script.list(test::status_reply(403, "Forbidden"), "two");
    script.list(body_reply(page({object("a", "blue", "5", "two")}, "20")), "two");
    for (int round = 0; round < 2000; ++round) {
        script.stream(test::status_reply(404, "NotFound"), "three");
    }
    start({"one", "two", "three"});
    ASSERT_TRUE(eventually_content({"one/a=red", "one/b=red", "two/a=blue"})) << output.text();
    EXPECT_TRUE(test::eventually([&] { return metric(kObjects) == 3; }));
    std::map<std::string, int> paths;
    for (const auto& call : server.calls()) {
        ++paths[call.path];
    }
    EXPECT_EQ(paths.size(), 3U);
    for (const auto* namespace_ : {"one", "two", "three"}) {
        EXPECT_GT(paths["/apis/example.com/v1/namespaces/" + std::string{namespace_} + "/things"],
                  0);
    }
}

TEST_F(ClusterSync, OneObjectAlone) {
    script.list(body_reply(page({object("a", "red", "5", "one")}, "10")), "one");
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "11", "one"))}), "one");
    start({"one"}, "a");
    ASSERT_TRUE(eventually_content({"one/a=blue"})) << output.text();
    for (const auto& call : server.calls()) {
        EXPECT_EQ(call.parameter("fieldSelector"), "metadata.name=a") << call.path;
    }
    EXPECT_TRUE(
        test::eventually([&] { return metric("smw_cache_objects{resource=\"things/a\"}") == 1; }));
    EXPECT_TRUE(cluster->problem("things/a") == std::nullopt);
}

TEST_F(ClusterSync, OneNamespaceThatIsRefusedKeepsTheCacheFromBeingSynced) {
    script.list(body_reply(page({object("a", "red", "5", "one")}, "10")), "one");
    script.list(test::status_reply(403, "Forbidden", "no, no"), "two");
    start({"one", "two"});
    ASSERT_TRUE(eventually_problem("namespace two: ")) << problem();
    ASSERT_TRUE(test::eventually([&] { return sink.size() == 1; }));
    EXPECT_FALSE(synced.is_set());
    EXPECT_EQ(metric(kSynced), 0);
    EXPECT_EQ(metric(kLastEvent), 0) << "the oldest of all";
}

TEST_F(ClusterSync, WaitsForTheResourceToBeInstalled) {
    for (int round = 0; round < 5; ++round) {
        script.stream(test::status_reply(404, "NotFound"));
    }
    script.stream(
        lines_reply({event("ADDED", object("a", "red", "7")), end_of_initial_events("10")}));
    settings.absent_retry = 100ms;
    start();
    ASSERT_TRUE(test::eventually([&] { return synced.is_set(); })) << "ready without it";
    EXPECT_THAT(sink.content(), IsEmpty());
    EXPECT_EQ(problem(), "not installed: retrying every 0.1 s");
    EXPECT_EQ(metric(kSynced), 0);
    ASSERT_TRUE(eventually_content({"ns/a=red"})) << output.text();
    EXPECT_TRUE(eventually_well());
    EXPECT_TRUE(test::eventually([&] { return metric(kSynced) == 1; }));
    EXPECT_EQ(output.count("Resource is not installed; serving without it"), 1U);
    EXPECT_TRUE(eventually_logged("Resource is installed"));
    EXPECT_TRUE(eventually_relists("initial", 1));
    EXPECT_EQ(relists("error"), 0);
}

TEST_F(ClusterSync, TheNotFoundOfALoadBalancerIsNoAbsence) {
    auto page_of_html = body_reply("<html>404 Not Found</html>");
    page_of_html.status = 404;
    page_of_html.content_type = "text/html";
    for (int round = 0; round < 3; ++round) {
        script.stream(page_of_html);
    }
    start_with_a();
    ASSERT_TRUE(test::eventually([&] { return synced.is_set(); })) << output.text();
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red")) << "not ready before the list";
    EXPECT_TRUE(eventually_well());
    EXPECT_EQ(output.count("not installed"), 0U) << output.text();
}

TEST_F(ClusterSync, OneThatIsNotInstalledIsToldOnceForAllNamespaces) {
    for (const auto* namespace_ : {"one", "two", "three"}) {
        for (int round = 0; round < 2000; ++round) {
            script.stream(test::status_reply(404, "NotFound"), namespace_);
        }
    }
    start({"one", "two", "three"});
    ASSERT_TRUE(test::eventually([&] { return synced.is_set(); })) << output.text();
    EXPECT_EQ(output.count("Resource is not installed; serving without it"), 1U) << output.text();
}

TEST_F(ClusterSync, AResourceThatIsTakenAwayTakesItsObjectsAlong) {
    settings.absent_for_good = 100ms;
    script.watch(stream_reply({Send{bookmark("11") + "\n"}, Close{}}));
    script.watch(test::status_reply(404, "NotFound"));
    script.list(body_reply(page({object("a", "red")}, "10")));
    for (int round = 0; round < 20; ++round) {
        script.list(test::status_reply(404, "NotFound"));
    }
    script.list(body_reply(page({object("b", "red")}, "30")));
    start();
    ASSERT_TRUE(eventually_content({}));
    EXPECT_TRUE(eventually_content({"ns/b=red"})) << output.text();
    EXPECT_TRUE(eventually_well());
    EXPECT_TRUE(eventually_relists("error", 1));
}

TEST_F(ClusterSync, AnUnknownResourceHasNoProblem) {
    start_with_a();
    EXPECT_EQ(cluster->problem("others"), std::nullopt);
}

}  // namespace
}  // namespace smw::watch::testing
