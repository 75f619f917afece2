// What can come in a watch, whole or in pieces.
#include "integration/watched_cluster.hpp"

namespace smw::watch::testing {
namespace {

using ClusterStream = WatchedCluster;

TEST_F(ClusterStream, CutAtEveryByteOfALine) {
    settings.backoff.most = 2ms;
    const auto line = event("MODIFIED", object("a", "blue", "11")) + "\n";
    for (std::size_t size = 0; size < line.size(); ++size) {
        script.watch(stream_reply({Send{line.substr(0, size)}, Cut{}}));
    }
    script.watch(stream_reply({Send{line}, Hold{}}));
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    const auto watches = calls("watch");
    EXPECT_EQ(watches.size(), line.size() + 1);
    for (const auto& call : watches) {
        EXPECT_EQ(call.parameter("resourceVersion"), "10");
    }
    EXPECT_EQ(calls("list").size(), 1U);
    EXPECT_EQ(sink.relists, 1);
}

TEST_F(ClusterStream, ClosedInGoodOrderInTheMiddleOfALine) {
    const auto line = event("MODIFIED", object("a", "blue", "11"));
    for (const auto part : {std::size_t{1}, line.size() / 2, line.size() - 1}) {
        script.watch(stream_reply({Send{line.substr(0, part)}, Close{}}));
    }
    script.watch(lines_reply({line}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
}

TEST_F(ClusterStream, SplitAtEveryByte) {
    std::vector<Step> all;
    for (const char byte : event("MODIFIED", object("a", "blue", "11")) + "\n\r\n\n" +
                               event("ADDED", object("b", "red", "12")) + "\r\n") {
        all.emplace_back(Send{std::string(1, byte)});
    }
    all.emplace_back(Hold{});
    script.watch(stream_reply(std::move(all)));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=blue", "ns/b=red"})) << output.text();
    EXPECT_EQ(calls("watch").size(), 1U);
}

TEST_F(ClusterStream, AHugeLineIsRead) {
    const std::string colour(3 << 20, 'x');
    script.watch(lines_reply({event("MODIFIED", object("a", colour, "11"))}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=" + colour}));
}

TEST_F(ClusterStream, ALineThatIsTooLongIsPassedByWithARelist) {
    const auto line = event("MODIFIED", object("a", std::string(5 << 20, 'x'), "11"));
    for (int round = 0; round < 3; ++round) {
        script.watch(lines_reply({line}));
    }
    script.list(body_reply(page({object("a", "red", "5")}, "10")));
    script.list(body_reply(page({object("a", "blue", "12")}, "12")));
    start();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_TRUE(eventually_well());
    EXPECT_TRUE(eventually_logged("too long"));
    EXPECT_TRUE(eventually_relists("error", 1));
}

TEST_F(ClusterStream, GarbageEndsTheStreamAndIsWatchedPast) {
    const std::vector<std::string> garbage{
        "no JSON",
        "\xff\xfe\x00",
        "[]",
        "{}",
        R"({"type":"ADDED","object":{}})",
        R"({"type":"ADDED","object":{"spec":{}}})",
        R"({"type":"RENAMED","object":{"metadata":{"name":"x"}}})",
        R"({"type":"MODIFIED","object":{"metadata":{"name":["x"]}}})",
        std::string(100'000, '['),
    };
    int version = 10;
    for (const auto& line : garbage) {
        const auto next = std::to_string(++version);
        script.watch(lines_reply({bookmark(next), line, event("ADDED", object("never", "red"))}));
    }
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "99"))}));
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_EQ(calls("list").size(), 1U) << "no relist";
    EXPECT_EQ(calls("watch").back().parameter("resourceVersion"), std::to_string(version));
    EXPECT_TRUE(eventually_well());
}

TEST_F(ClusterStream, AnAnswerThatIsNoStreamAtAll) {
    script.watch(body_reply("<html>welcome to the proxy</html>"));
    script.watch(body_reply(""));
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "11"))}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
}

TEST_F(ClusterStream, WrongTypesInAnObjectAreNotTheWatchsBusiness) {
    script.watch(lines_reply(
        {event("ADDED",
               R"({"metadata":{"namespace":"ns","name":"b","labels":7},"colour":[],"spec":"no"})"),
         event("ADDED", object("c", "red", "12"))}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/a=red", "ns/b=?", "ns/c=red"})) << output.text();
    EXPECT_EQ(calls("watch").size(), 1U);
}

TEST_F(ClusterStream, DuplicatesAndEventsOutOfOrder) {
    script.watch(lines_reply(
        {event("ADDED", object("b", "red", "12")), event("ADDED", object("b", "red", "12")),
         event("MODIFIED", object("b", "old", "11")), event("DELETED", object("a", "", "13")),
         event("DELETED", object("a", "", "13")), event("MODIFIED", object("c", "red", "14"))}));
    start_with_a();
    EXPECT_TRUE(eventually_content({"ns/b=old", "ns/c=red"})) << output.text();
}

TEST_F(ClusterStream, TenThousandEventsInOneGo) {
    std::string text;
    std::vector<std::string> expected;
    for (int number = 0; number < 10'000; ++number) {
        const auto name = "o" + std::to_string(number % 100);
        text += event("MODIFIED",
                      object(name, "c" + std::to_string(number), std::to_string(100 + number))) +
                "\n";
    }
    for (int number = 9'900; number < 10'000; ++number) {
        expected.push_back("ns/o" + std::to_string(number % 100) + "=c" + std::to_string(number));
    }
    expected.push_back("ns/a=red");
    std::ranges::sort(expected, {},
                      [](const std::string& line) { return line.substr(0, line.find('=')); });
    script.watch(stream_reply({Send{text}, Hold{}}));
    start_with_a();
    EXPECT_TRUE(eventually_content(expected));
    EXPECT_EQ(calls("watch").size(), 1U);
    EXPECT_TRUE(
        test::eventually([&] { return metric("smw_cache_objects{resource=\"things\"}") == 101; }));
}

TEST_F(ClusterStream, SilenceReconnectsWithoutARelist) {
    settings.silence = 200ms;
    script.watch(stream_reply({Hold{}}));
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "11"))}));
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_EQ(calls("list").size(), 1U);
    EXPECT_TRUE(eventually_logged("nothing was heard for 0.2 s"));
}

TEST_F(ClusterStream, AWatchThatEndsIsOpenedAgainWhereItEnded) {
    for (int version = 11; version < 20; ++version) {
        script.watch(stream_reply({Send{bookmark(std::to_string(version)) + "\n"}, Close{}}));
    }
    script.watch(lines_reply({event("DELETED", object("a", "", "30"))}));
    start_with_a();
    ASSERT_TRUE(eventually_content({}));
    const auto watches = calls("watch");
    for (std::size_t at = 0; at < watches.size(); ++at) {
        EXPECT_EQ(watches[at].parameter("resourceVersion"), std::to_string(10 + at));
    }
    EXPECT_EQ(calls("list").size(), 1U);
}

TEST_F(ClusterStream, ABrokenStreamingListRemovesNothing) {
    script.stream(lines_reply({event("ADDED", object("a", "red", "5")), end_of_initial_events("10"),
                               error(410, "Expired")}));
    script.stream(stream_reply({Send{event("ADDED", object("b", "red", "11")) + "\n"}, Cut{}}));
    script.list(test::status_reply(500, "InternalError"));
    start();
    ASSERT_TRUE(eventually_content({"ns/a=red", "ns/b=red"})) << output.text();
    script.stream(
        lines_reply({event("ADDED", object("b", "red", "11")), end_of_initial_events("12")}));
    script.list(body_reply(page({object("b", "red", "11")}, "12")));
    EXPECT_TRUE(eventually_content({"ns/b=red"})) << output.text();
    EXPECT_TRUE(eventually_relists("gone", 1));
}

TEST_F(ClusterStream, WhatASinkThrowsDoesNotEndTheTask) {
    script.watch(lines_reply({event("MODIFIED", object("explosive", "blue", "11"))}));
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "12"))}));
    sink.explosive = "explosive";
    start_with_a();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_TRUE(eventually_logged("boom"));
    EXPECT_TRUE(eventually_well());
}

TEST_F(ClusterStream, WhatASinkThrowsIsToldBeforeThePause) {
    settings.backoff.first = settings.backoff.most = 1h;
    script.watch(lines_reply({event("MODIFIED", object("explosive", "blue", "11"))}));
    sink.explosive = "explosive";
    start_with_a();
    EXPECT_TRUE(eventually_problem("boom")) << output.text();
}

TEST_F(ClusterStream, WhatASinkThrowsEachTimeIsPassedByWithARelist) {
    for (int round = 0; round < 3; ++round) {
        script.watch(lines_reply({event("MODIFIED", object("explosive", "blue", "11"))}));
    }
    sink.explosive = "explosive";
    script.list(body_reply(page({object("a", "red", "5")}, "10")));
    script.list(body_reply(page({object("a", "blue", "12")}, "12")));
    start();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_TRUE(eventually_relists("error", 1));
}

TEST_F(ClusterStream, LastEventStandsStillWhileTheApiServerIsGone) {
    constexpr auto kLastEvent = "smw_cache_last_event_timestamp_seconds{resource=\"things\"}";
    start_with_a();
    ASSERT_TRUE(test::eventually([&] { return calls("watch").size() == 1; })) << output.text();
    const double heard = metric(kLastEvent);
    EXPECT_GT(heard, 0);
    server.stop();
    ASSERT_TRUE(eventually_problem("things")) << output.text();
    // Many attempts of 20 ms at most.
    const auto since = clock.now();
    ASSERT_TRUE(test::eventually([&] { return clock.now() > since + 300ms; }));
    EXPECT_EQ(metric(kLastEvent), heard);
    script.watch(lines_reply({event("MODIFIED", object("a", "blue", "11"))}));
    server.start();
    ASSERT_TRUE(eventually_content({"ns/a=blue"})) << output.text();
    EXPECT_TRUE(test::eventually([&] { return metric(kLastEvent) > heard + 0.3; }));
}

}  // namespace
}  // namespace smw::watch::testing
