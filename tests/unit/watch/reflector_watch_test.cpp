// Following: events, ends of streams, garbage.
#include "unit/watch/reflected.hpp"

#include <set>

namespace smw::watch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReflectorWatch : public ReflectorTest {
protected:
    explicit ReflectorWatch(const std::string& namespace_ = "") : ReflectorTest(namespace_) {
        list_and_follow();
    }
};
class ReflectorWatchOfANamespace : public ReflectorWatch {
protected:
    ReflectorWatchOfANamespace() : ReflectorWatch("ns") {}
};

TEST_F(ReflectorWatch, AppliesEventsInTheOrderOfArrival) {
    lines({event("ADDED", object("b", "red", "11")), event("MODIFIED", object("b", "blue", "12")),
           event("DELETED", object("a", "red", "13")), event("ADDED", object("a", "green", "14"))});
    EXPECT_THAT(sink.told(),
                ElementsAre("put ns/b=red", "put ns/b=blue", "remove ns/a", "put ns/a=green"));
    EXPECT_EQ(condition().last_heard, now);
}

TEST_F(ReflectorWatch, DuplicatesAndEventsOutOfOrderAreAppliedAsTheyCome) {
    lines({event("ADDED", object("b", "red", "12")), event("ADDED", object("b", "red", "12")),
           event("MODIFIED", object("b", "old", "11")), event("DELETED", object("c", "", "13")),
           event("DELETED", object("a", "", "14")), event("DELETED", object("a", "", "14")),
           event("MODIFIED", object("d", "red", "15"))});
    EXPECT_THAT(sink.content(), ElementsAre("ns/b=old", "ns/d=red"));
    now += 2s;
    reflector->closed(now);
    EXPECT_EQ(step(), "watch 15");
}

TEST_F(ReflectorWatch, EveryEventMovesTheResourceVersion) {
    std::string before = "10";
    for (const auto& [line, version] :
         {std::pair{event("ADDED", object("b", "red", "11")), "11"},
          {event("MODIFIED", object("b", "red", "12")), "12"},
          {event("DELETED", object("b", "red", "13")), "13"},
          {bookmark("14"), "14"},
          {end_of_initial_events("15"), "15"},
          {event("MODIFIED", object("b", "red")), "15"},
          {bookmark(""), "15"},
          {bookmark("0"), "15"},
          {event("BOOKMARK", "{}"), "15"},
          {event("BOOKMARK", R"({"metadata":{"resourceVersion":16}})"), "15"}}) {
        lines({line});
        now += 2s;
        reflector->closed(now);
        ASSERT_EQ(step(), std::string{"watch "} + version) << line;
        open();
    }
}

TEST_F(ReflectorWatch, ABookmarkChangesNothingElse) {
    lines({bookmark("11")});
    EXPECT_THAT(sink.told(), IsEmpty());
    EXPECT_EQ(condition().last_heard, now);
}

TEST_F(ReflectorWatch, ReadsUntilSilenceCountedFromEachLine) {
    EXPECT_EQ(wanted<ReadLine>().until, now + 130s);
    now += 60s;
    EXPECT_EQ(wanted<ReadLine>().until, now + 70s);
    lines({bookmark("11")});
    EXPECT_EQ(wanted<ReadLine>().until, now + 130s);
}

TEST_F(ReflectorWatch, SilenceReconnectsAtOnceWithoutRelist) {
    now += 130s;
    fail_with(silence(Code::DeadlineExceeded));
    EXPECT_EQ(condition().problem, "nothing was heard for 130 s");
    ASSERT_EQ(step(), "watch 10");
    fail_with(silence(Code::DeadlineExceeded));
    EXPECT_EQ(condition().problem, "listing things: nobody there");
    EXPECT_EQ(sit_out(), 800ms);
    ASSERT_EQ(step(), "watch 10");
    open();
    EXPECT_EQ(condition().problem, "");
    EXPECT_THAT(sink.told(), IsEmpty());
}

TEST_F(ReflectorWatch, AClosedOrCutWatchIsOpenedAgainAtOnce) {
    for (const bool cut : {false, true}) {
        now += 1s;
        if (cut) {
            fail_with(silence(Code::Unavailable));
        } else {
            reflector->closed(now);
        }
        ASSERT_EQ(step(), "watch 10") << cut;
        EXPECT_EQ(condition().problem, "");
        open();
    }
    EXPECT_THAT(sink.told(), IsEmpty());
}

TEST_F(ReflectorWatch, EndedSoonIsAFailureEvenWithNews) {
    lines({bookmark("11")});
    reflector->closed(now);
    EXPECT_EQ(sit_out(), 800ms);
    EXPECT_EQ(step(), "watch 11");
}

TEST_F(ReflectorWatch, ClosedSoonAndWithoutNewsIsAFailure) {
    std::vector<Duration> pauses;
    for (int round = 0; round < 4; ++round) {
        lines({bookmark("10")});  // known already
        now += 999ms;
        if (round % 2 == 0) {
            reflector->closed(now);
        } else {
            fail_with(silence(Code::Unavailable));
        }
        EXPECT_NE(condition().problem, "");
        pauses.push_back(sit_out());
        ASSERT_EQ(step(), "watch 10");
        open();
    }
    EXPECT_THAT(pauses, ElementsAre(800ms, 1600ms, 3200ms, 6400ms));
}

TEST_F(ReflectorWatch, NewsLetTheBackOffBeginAnewAndOpeningDoesNot) {
    const auto refused = [this] {
        now += 2s;
        reflector->closed(now);
        fail_with(failure(500));
        const auto pause = sit_out();
        open();
        return pause;
    };
    EXPECT_EQ(refused(), 800ms);
    EXPECT_EQ(refused(), 1600ms);
    lines({bookmark("10")});
    EXPECT_EQ(refused(), 3200ms);
    lines({bookmark("11")});
    EXPECT_EQ(refused(), 800ms);
}

TEST_F(ReflectorWatch, AFollowThatLastsLetsTheBackOffBeginAnew) {
    fail_with(silence(Code::Unavailable));
    EXPECT_EQ(sit_out(), 800ms);
    open();
    now += 121s;
    fail_with(silence(Code::Unavailable));
    fail_with(failure(500));
    EXPECT_EQ(sit_out(), 800ms);
}

TEST_F(ReflectorWatch, TimeoutsAreRandomWithinBounds) {
    std::set<std::chrono::seconds> seen;
    for (int round = 0; round < 500; ++round) {
        now += 2s;
        reflector->closed(now);
        seen.insert(wanted<OpenWatch>().timeout);
        open();
    }
    EXPECT_GE(*seen.begin(), 240s);
    EXPECT_LE(*seen.rbegin(), 290s);
    EXPECT_GT(seen.size(), 40U);
}

const std::vector<std::string>& garbage() {
    static const std::vector<std::string> lines{
        "",
        "{",
        "\xff\xfe",
        "7",
        "[]",
        "{}",
        R"({"type":"ADDED"})",
        R"({"type":"ADDED","object":null})",
        R"({"type":"ADDED","object":[]})",
        R"({"type":"BOOKMARK","object":"no"})",
        R"({"type":7,"object":{}})",
        R"({"type":"added","object":{"metadata":{"name":"x"}}})",
        R"({"type":"RENAMED","object":{"metadata":{"name":"x"}}})",
        R"({"object":{"metadata":{"name":"x"}}})",
        R"({"type":"ADDED","object":{}})",
        R"({"type":"ADDED","object":{"metadata":[]}})",
        R"({"type":"MODIFIED","object":{"metadata":{"name":""}}})",
        R"({"type":"DELETED","object":{"metadata":{"name":7}}})",
        R"({"type":"DELETED","object":{"metadata":{"name":"x","namespace":7}}})",
        R"({"type":"ERROR","object":{}})",
        R"({"type":"ERROR","object":{"kind":"Pod"}})",
    };
    return lines;
}

TEST_F(ReflectorWatch, GarbageBreaksTheStreamAndChangesNothing) {
    std::string version = "10";
    for (const auto& line : garbage()) {
        lines({line});
        EXPECT_THAT(condition().problem, HasSubstr("the watch sent ")) << line;
        ASSERT_EQ(step(), "pause") << line;
        sit_out();
        ASSERT_EQ(step(), "watch " + version) << line;
        open();
        version += "0";
        lines({bookmark(version)});
    }
    EXPECT_THAT(sink.told(), IsEmpty());
}

TEST_F(ReflectorWatch, WhatTheSinkRefusesIsGarbage) {
    sink.refused = "x";
    lines({event("ADDED", object("x", "red", "11"))});
    sit_out();
    EXPECT_EQ(step(), "watch 10");
}

TEST_F(ReflectorWatch, GarbageForTheThirdTimeIsPassedByWithARelist) {
    for (const auto& next : {"watch 10", "watch 10", "list"}) {
        lines({"{"});
        EXPECT_EQ(step(), "pause");
        sit_out();
        ASSERT_EQ(step(), next);
        if (step() != "list") {
            open();
        }
    }
    got_page(page({object("a", "blue")}, "20"));
    EXPECT_EQ(relists(RelistCause::Error), 1U);
    open();
    lines({"{"});
    sit_out();
    EXPECT_EQ(step(), "watch 20") << "counted anew";
}

TEST_F(ReflectorWatch, GarbageWithNewsInBetweenNeedsNoRelist) {
    for (int version = 11; version < 20; ++version) {
        lines({bookmark(std::to_string(version)), "{"});
        sit_out();
        ASSERT_EQ(step(), "watch " + std::to_string(version));
        open();
    }
}

TEST_F(ReflectorWatch, ALineThatIsTooLongIsGarbage) {
    for (const auto& next : {"watch 10", "watch 10", "list"}) {
        now += 2s;
        fail_with(silence(Code::TooLarge));
        EXPECT_EQ(condition().problem, "the watch sent a line that is too long");
        sit_out();
        ASSERT_EQ(step(), next);
        if (step() != "list") {
            open();
        }
    }
}

TEST_F(ReflectorWatchOfANamespace, EventsOfOthersAreGarbage) {
    for (const auto& line : {event("ADDED", object("x", "red", "11", "other")),
                             event("DELETED", object("a", "red", "11", "other")),
                             event("ADDED", R"({"metadata":{"name":"x"}})")}) {
        lines({line});
        sit_out();
        EXPECT_EQ(step(), "watch 10") << line;
        open();
        lines({bookmark("10")});
        now += 2s;
        reflector->closed(now);
        open();
    }
    EXPECT_THAT(sink.told(), IsEmpty());
    lines({event("ADDED", object("b", "red", "11"))});
    EXPECT_THAT(sink.told(), ElementsAre("put ns/b=red"));
}

}  // namespace
}  // namespace smw::watch::testing
