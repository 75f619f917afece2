// Streaming lists (KEP-3157), and when they are given up.
#include "unit/watch/reflected.hpp"

namespace smw::watch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using ReflectorStream = ReflectorTest;

constexpr auto kLate = "the streaming list has not ended for 10 s";

TEST_F(ReflectorStream, BeginsWithAStreamingListOfTheMostRecent) {
    const auto open = wanted<OpenWatch>();
    EXPECT_TRUE(open.initial_events);
    EXPECT_EQ(open.resource_version, "");
    EXPECT_GE(open.timeout, 240s);
    EXPECT_LE(open.timeout, 290s);
    EXPECT_EQ(wanted<OpenWatch>(), open) << "the same until something of it was reported";
    EXPECT_FALSE(condition().synced);
    EXPECT_EQ(condition().problem, "");
}

TEST_F(ReflectorStream, IsSyncedByTheEndBookmarkAndFollowsOnTheSameStream) {
    open();
    lines({event("ADDED", object("a", "red", "7")), event("ADDED", object("b", "red", "3"))});
    EXPECT_FALSE(condition().synced);
    EXPECT_THAT(sink.told(), ElementsAre("begin ", "put ns/a=red", "put ns/b=red"));
    lines({end_of_initial_events("10")});
    EXPECT_TRUE(condition().synced);
    EXPECT_THAT(sink.told(), ElementsAre("end "));
    EXPECT_EQ(relists(RelistCause::Initial), 1U);
    lines({event("MODIFIED", object("a", "blue", "11")), event("DELETED", object("b", "", "12"))});
    EXPECT_THAT(sink.told(), ElementsAre("put ns/a=blue", "remove ns/b"));
    now += 100s;
    reflector->closed(now);
    EXPECT_EQ(step(), "watch 12");
}

TEST_F(ReflectorStream, AnEmptyOneIsSynced) {
    open();
    lines({end_of_initial_events("10")});
    EXPECT_TRUE(condition().synced);
    EXPECT_THAT(sink.told(), ElementsAre("begin ", "end "));
}

TEST_F(ReflectorStream, InitialEventsDoNotMoveTheResourceVersion) {
    open();
    lines({event("ADDED", object("a", "red", "9"))});
    now += 2s;
    reflector->closed(now);
    EXPECT_EQ(step(), "stream");
    open();
    lines({event("ADDED", object("a", "red", "9")), end_of_initial_events("8")});
    now += 2s;
    reflector->closed(now);
    EXPECT_EQ(step(), "watch 8");
}

TEST_F(ReflectorStream, OneThatBreaksRemovesNothingAndBeginsAnew) {
    follow();
    lines({error(410, "Expired")});
    ASSERT_EQ(step(), "stream");
    open();
    lines({event("ADDED", object("b", "red", "11"))});
    fail_with(silence(Code::Unavailable));
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red", "ns/b=red"));
    EXPECT_EQ(sit_out(), 800ms);
    ASSERT_EQ(step(), "stream");
    open();
    lines({event("ADDED", object("b", "red", "11")), end_of_initial_events("12")});
    EXPECT_THAT(sink.content(), ElementsAre("ns/b=red"));
    EXPECT_EQ(relists(RelistCause::Initial), 1U);
    EXPECT_EQ(relists(RelistCause::Gone), 1U);
    EXPECT_EQ(relists(RelistCause::Error), 1U);
}

TEST_F(ReflectorStream, OfAnApiServerRestoredFromABackupIsWhatCounts) {
    follow();
    lines({event("ADDED", object("b", "red", "12"))});
    now += 240s;
    reflector->closed(now);
    ASSERT_EQ(step(), "watch 12");
    auto too_large = failure(504, "Timeout");
    too_large.status.causes = {{"ResourceVersionTooLarge", "Too large resource version", ""}};
    fail_with(too_large);
    sit_out();
    ASSERT_EQ(step(), "stream");
    open();
    lines({event("ADDED", object("c", "red", "3")), end_of_initial_events("4")});
    EXPECT_THAT(sink.content(), ElementsAre("ns/c=red"));
    lines({event("DELETED", object("c", "", "5"))});
    EXPECT_THAT(sink.content(), IsEmpty());
    now += 240s;
    reflector->closed(now);
    EXPECT_EQ(step(), "watch 5");
}

TEST_F(ReflectorStream, RefusedOnesAreRememberedWithoutDelay) {
    for (const int code : {422, 400}) {
        begin();
        fail_with(failure(code, "Invalid"));
        ASSERT_EQ(step(), "list") << code;
        EXPECT_EQ(condition().problem, "");
        got_page(page({}, "10"));
        EXPECT_EQ(relists(RelistCause::Initial), 1U);
        open();
        lines({error(410, "Gone")});
        EXPECT_EQ(step(), "list") << code;
    }
}

TEST_F(ReflectorStream, RefusedInTheStreamAreRememberedToo) {
    open();
    lines({error(422, "Invalid")});
    EXPECT_EQ(step(), "list");
}

TEST_F(ReflectorStream, ThoseThatAProxyCannotDoTwiceMeanLists) {
    for (const int code : {405, 406, 500, 501}) {
        begin();
        fail_with(failure(code, "InternalError"));
        sit_out();
        ASSERT_EQ(step(), "stream") << code;
        fail_with(failure(code, "InternalError"));
        sit_out();
        EXPECT_EQ(step(), "list") << code;
    }
}

TEST_F(ReflectorStream, RefusalsThatPassDoNotMeanLists) {
    for (const int code : {401, 403, 429, 502, 503, 504}) {
        begin();
        for (int times = 0; times < 10; ++times) {
            fail_with(failure(code));
            sit_out();
            ASSERT_EQ(step(), "stream") << code;
        }
    }
}

TEST_F(ReflectorStream, TenSecondsOfSilenceBeforeTheEndAreToldAndTwiceMeanLists) {
    for (const auto& next : {"stream", "list"}) {
        open();
        EXPECT_EQ(wanted<ReadLine>().until, now + 10s) << "without any line";
        now += 9s;
        lines({event("ADDED", object("a", "red", "5"))});
        EXPECT_EQ(wanted<ReadLine>().until, now + 10s);
        EXPECT_EQ(condition().problem, next == std::string{"stream"} ? "" : kLate);
        now += 10s;
        fail_with(silence(Code::DeadlineExceeded));
        EXPECT_EQ(condition().problem, kLate);
        ASSERT_EQ(step(), next);
        EXPECT_FALSE(condition().synced);
    }
}

TEST_F(ReflectorStream, OneThatTakesTenSecondsIsToldUntilItEnds) {
    open();
    now += 5s;
    lines({event("ADDED", object("a", "red", "5"))});
    EXPECT_EQ(condition().problem, "");
    now += 5s;
    lines({event("ADDED", object("b", "red", "6"))});
    EXPECT_EQ(condition().problem, kLate);
    EXPECT_EQ(step(), "read") << "and goes on";
    now += 5s;
    lines({end_of_initial_events("10")});
    EXPECT_EQ(condition().problem, "");
    EXPECT_TRUE(condition().synced);
    EXPECT_EQ(wanted<ReadLine>().until, now + 130s) << "counted from here";
}

TEST_F(ReflectorStream, OneThatDoesNotEndIsGivenUpHoweverMuchItSends) {
    open();
    for (int count = 0; count < 25; ++count) {
        now += 5s;
        lines({event("ADDED", object("a", "red", "5"))});
    }
    EXPECT_EQ(wanted<ReadLine>().until, now + 5s) << "130 s from the opening";
    now += 5s;
    lines({event("ADDED", object("a", "red", "5"))});
    EXPECT_EQ(step(), "list");
    EXPECT_EQ(condition().problem, kLate);
}

TEST_F(ReflectorStream, SilenceAtTheBoundOfTheWholeMeansListsAtOnce) {
    open();
    for (int count = 0; count < 25; ++count) {
        now += 5s;
        lines({event("ADDED", object("a", "red", "5"))});
    }
    now += 5s;
    fail_with(silence(Code::DeadlineExceeded));
    EXPECT_EQ(step(), "list");
}

TEST_F(ReflectorStream, AnOrdinaryBookmarkBeforeTheEndMeansLists) {
    open();
    lines({event("ADDED", object("a", "red", "5")), bookmark("6")});
    EXPECT_EQ(step(), "list");
    got_page(page({}, "10"));
    EXPECT_THAT(sink.content(), IsEmpty());
}

TEST_F(ReflectorStream, TwoInARowWithoutAnEndMeanLists) {
    for (const auto& next : {"stream", "list"}) {
        open();
        lines({event("ADDED", object("a", "red", "5"))});
        now += 2s;
        reflector->closed(now);
        ASSERT_EQ(step(), next);
    }
}

TEST_F(ReflectorStream, OneWithoutAnEndIsForgottenByOneWithIt) {
    open();
    now += 2s;
    reflector->closed(now);
    follow();
    lines({error(410, "Expired")});
    ASSERT_EQ(step(), "stream");
    open();
    now += 2s;
    reflector->closed(now);
    EXPECT_EQ(step(), "stream");
}

TEST_F(ReflectorStream, ClosedAtOnceIsAFailure) {
    open();
    reflector->closed(now + 999ms);
    EXPECT_EQ(step(), "pause");
    EXPECT_NE(condition().problem, "");
}

TEST_F(ReflectorStream, GarbageTwiceMeansListsThatPassItOver) {
    const auto nameless = R"({"metadata":{"resourceVersion":"6"}})";
    open();
    lines({event("ADDED", nameless)});
    EXPECT_EQ(sit_out(), 800ms);
    ASSERT_EQ(step(), "stream");
    open();
    lines({event("ADDED", object("a", "red", "5")), event("ADDED", nameless)});
    EXPECT_EQ(sit_out(), 1600ms);
    ASSERT_EQ(step(), "list");
    got_page(page({object("a", "red", "5"), nameless}, "10"));
    EXPECT_TRUE(condition().synced);
    EXPECT_EQ(condition().skipped, 1U);
}

TEST_F(ReflectorStream, AnEndWithoutResourceVersionIsGarbage) {
    for (const auto* metadata :
         {R"("resourceVersion":"",)", R"("resourceVersion":7,)", R"("resourceVersion":"0",)", ""}) {
        begin();
        open();
        lines({event("BOOKMARK", std::string{R"({"metadata":{)"} + metadata +
                                     R"("annotations":{"k8s.io/initial-events-end":"true"}}})")});
        EXPECT_EQ(step(), "pause") << metadata;
        EXPECT_FALSE(condition().synced) << metadata;
    }
}

TEST_F(ReflectorStream, GoneBacksOff) {
    open();
    lines({error(410, "Expired")});
    EXPECT_EQ(sit_out(), 800ms);
    EXPECT_EQ(step(), "stream");
    fail_with(failure(410, "Expired"));
    EXPECT_EQ(sit_out(), 1600ms);
}

TEST_F(ReflectorStream, AFailureIsToldUntilTheEndBookmark) {
    fail_with(failure(503));
    sit_out();
    open();
    EXPECT_EQ(condition().problem, "listing things: 503");
    lines({event("ADDED", object("a", "red", "5"))});
    EXPECT_EQ(condition().problem, "listing things: 503");
    lines({end_of_initial_events("10")});
    EXPECT_EQ(condition().problem, "");
}

}  // namespace
}  // namespace smw::watch::testing
