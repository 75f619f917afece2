// What the API server refuses while we follow: 410, 504, 429, 403, 404.
#include "unit/watch/reflected.hpp"

namespace smw::watch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReflectorRefusal : public ReflectorTest {
protected:
    ReflectorRefusal() { list_and_follow(); }

    /// The server ends the watch as it does every few minutes.
    void end_watch(const std::string& version = "10") {
        now += 240s;
        reflector->closed(now);
        ASSERT_EQ(step(), "watch " + version);
    }
    /// 404 each five seconds, until `span` has passed since the first.
    void be_absent(Duration span) {
        const auto until = now + span;
        for (;;) {
            fail_with(failure(404, "NotFound"));
            if (now >= until) {
                return;
            }
            ASSERT_EQ(sit_out(), 5s);
            ASSERT_EQ(step(), "list");
        }
    }
};

TEST_F(ReflectorRefusal, GoneInTheStreamMeansARelistAtOnce) {
    for (const auto& line : {error(410, "Expired"), error(410, "Gone"), error(410, ""),
                             error(0, "Expired"), error(500, "Gone")}) {
        lines({line});
        ASSERT_EQ(step(), "list") << line;
        EXPECT_THAT(condition().problem, HasSubstr("the watch was ended with code")) << line;
        got_page(page({}, "10"));
        open();
        EXPECT_EQ(condition().problem, "");
        lines({bookmark("11"), bookmark("10")});
    }
    EXPECT_EQ(relists(RelistCause::Gone), 5U);
}

TEST_F(ReflectorRefusal, GoneAtOpeningMeansARelistAtOnce) {
    end_watch();
    fail_with(failure(410, "Expired"));
    ASSERT_EQ(step(), "list");
    got_page(page({}, "20"));
    EXPECT_EQ(relists(RelistCause::Gone), 1U);
    EXPECT_THAT(sink.content(), IsEmpty());
}

TEST_F(ReflectorRefusal, GoneAgainAndAgainBacksOff) {
    lines({error(410, "Expired")});
    std::vector<Duration> pauses;
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(step(), "list");
        got_page(page({}, "10"));
        open();
        lines({error(410, "Expired")});
        pauses.push_back(sit_out());
    }
    EXPECT_THAT(pauses, ElementsAre(800ms, 1600ms, 3200ms));
}

TEST_F(ReflectorRefusal, AVersionTooLargeMeansARelistAfterADelay) {
    const std::string details =
        R"(,"details":{"retryAfterSeconds":3,"causes":[{"reason":"ResourceVersionTooLarge"}]})";
    lines({error(504, "Timeout", details)});
    EXPECT_EQ(sit_out(), 3s);
    ASSERT_EQ(step(), "list");
    got_page(page({}, "9"));
    open();
    reflector->closed(now += 2s);
    auto too_large = failure(504, "Timeout");
    too_large.status.causes = {{"", "Too large resource version", ""}};
    fail_with(too_large);
    sit_out();
    ASSERT_EQ(step(), "list");
    got_page(page({}, "9"));
    EXPECT_EQ(relists(RelistCause::Error), 2U);
}

/// Its resource versions begin before those that we have seen.
TEST_F(ReflectorRefusal, AnApiServerRestoredFromABackupIsReadAnew) {
    lines({event("ADDED", object("b", "red", "12")), event("MODIFIED", object("a", "blue", "13"))});
    end_watch("13");
    auto too_large = failure(504, "Timeout", 1);
    too_large.status.causes = {{"ResourceVersionTooLarge", "Too large resource version", ""}};
    fail_with(too_large);
    sit_out();
    ASSERT_EQ(step(), "list");
    got_page(page({object("a", "red", "3")}, "4", "more"));
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red", "ns/b=red"))
        << "half a list removes nothing";
    got_page(page({object("c", "red", "4")}, "4"));
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red", "ns/c=red"));
    ASSERT_EQ(step(), "watch 4");
    open();
    lines({event("MODIFIED", object("a", "green", "5"))});
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=green", "ns/c=red"));
    EXPECT_EQ(condition().problem, "");
    end_watch("5");
}

TEST_F(ReflectorRefusal, ABadVersionMeansARelistAfterADelay) {
    for (const int code : {400, 422}) {
        ASSERT_EQ(step(), "read");
        reflector->closed(now += 2s);
        fail_with(failure(code));
        sit_out();
        ASSERT_EQ(step(), "list") << code;
        got_page(page({}, "10"));
        open();
    }
}

TEST_F(ReflectorRefusal, OtherErrorsInTheStreamAreWatchedAgainAtTheSameVersion) {
    for (const auto& line :
         {error(500, "InternalError"), error(429, "TooManyRequests"), error(403, "Forbidden"),
          error(504, "Timeout"), error(404, "NotFound"), error(401, "Unauthorized"),
          error(429, "TooManyRequests"), error(429, "TooManyRequests")}) {
        lines({line});
        EXPECT_NE(condition().problem, "") << line;
        EXPECT_FALSE(condition().absent) << line;
        sit_out();
        ASSERT_EQ(step(), "watch 10") << line;
        open();
    }
    EXPECT_THAT(sink.told(), IsEmpty());
}

TEST_F(ReflectorRefusal, AServerErrorInTheStreamForTheThirdTimeMeansARelist) {
    for (const auto& line : {error(500, "InternalError"), error(0, ""), error(503, "")}) {
        for (const auto& next : {"watch 10", "watch 10", "list"}) {
            lines({line});
            EXPECT_THAT(condition().problem, HasSubstr("the watch was ended with code")) << line;
            sit_out();
            ASSERT_EQ(step(), next) << line;
            if (step() != "list") {
                open();
            }
        }
        got_page(page({}, "10"));
        open();
    }
    EXPECT_EQ(relists(RelistCause::Error), 3U);
}

TEST_F(ReflectorRefusal, ServerErrorsWithNewsInBetweenNeedNoRelist) {
    for (int version = 11; version < 20; ++version) {
        lines({bookmark(std::to_string(version)), error(500, "InternalError")});
        sit_out();
        ASSERT_EQ(step(), "watch " + std::to_string(version));
        open();
    }
}

TEST_F(ReflectorRefusal, AnExceptionForTheThirdTimeMeansARelist) {
    for (const auto& next : {"watch 10", "watch 10", "list"}) {
        now += 2s;
        fail_with(silence(Code::Internal));
        EXPECT_NE(condition().problem, "");
        sit_out();
        ASSERT_EQ(step(), next);
        if (step() != "list") {
            open();
        }
    }
    got_page(page({}, "20"));
    EXPECT_EQ(relists(RelistCause::Error), 1U);
}

TEST_F(ReflectorRefusal, TheWordsOfAServerAreOneShortLine) {
    lines({event("ERROR", R"({"kind":"Status","code":500,"reason":"a\nb","message":"c\n)" +
                              std::string(10000, 'x') + R"("})")});
    EXPECT_THAT(condition().problem, HasSubstr(R"(reason "a\nb": "c\nxxx)"));
    EXPECT_EQ(condition().problem.find('\n'), std::string::npos);
    EXPECT_LT(condition().problem.size(), 1000U);
}

TEST_F(ReflectorRefusal, OpeningRefusedIsTriedAgainAtTheSameVersion) {
    end_watch();
    for (const auto& why :
         {failure(401), failure(403), failure(429), failure(500), failure(502), failure(503),
          failure(504, "Timeout"), failure(307), silence(Code::Unavailable),
          silence(Code::DeadlineExceeded), silence(Code::TooLarge)}) {
        fail_with(why);
        EXPECT_EQ(condition().problem, why.error.message);
        sit_out();
        ASSERT_EQ(step(), "watch 10") << why.status.code;
    }
    EXPECT_THAT(sink.told(), IsEmpty());
    EXPECT_TRUE(condition().synced);
    open();
    EXPECT_EQ(condition().problem, "");
}

TEST_F(ReflectorRefusal, RetryAfterIsTheLeastDelayAndItselfBounded) {
    end_watch();
    for (const auto& [asked, delay] :
         {std::pair<int, Duration>{5, 5s}, {0, 1600ms}, {-7, 3200ms}, {2147483647, 60s}}) {
        fail_with(failure(429, "TooManyRequests", asked));
        EXPECT_EQ(sit_out(), delay) << asked;
    }
    open();
    lines({error(429, "TooManyRequests", R"(,"details":{"retryAfterSeconds":50})")});
    EXPECT_EQ(sit_out(), 50s);
}

TEST_F(ReflectorRefusal, AbsentIsToldAndAskedAgainEveryFiveSeconds) {
    end_watch();
    fail_with(failure(404, "NotFound"));
    EXPECT_TRUE(condition().absent);
    EXPECT_EQ(condition().problem, "");
    EXPECT_EQ(condition().last_heard, now);
    EXPECT_EQ(sit_out(), 5s);
    EXPECT_EQ(step(), "list");
    EXPECT_THAT(sink.told(), IsEmpty()) << "never emptied at once";
    got_page(page({object("b", "red")}, "20"));
    EXPECT_FALSE(condition().absent);
    EXPECT_THAT(sink.content(), ElementsAre("ns/b=red"));
    EXPECT_EQ(relists(RelistCause::Error), 1U);
}

TEST_F(ReflectorRefusal, AbsenceThatLastsEmptiesOnce) {
    end_watch();
    be_absent(59s);
    EXPECT_THAT(sink.told(), ElementsAre("begin ", "end ")) << "the pauses pass 60 s";
    EXPECT_THAT(sink.content(), IsEmpty());
    EXPECT_TRUE(condition().synced);
    sit_out();
    be_absent(120s);
    EXPECT_THAT(sink.told(), IsEmpty());
    sit_out();
    got_page(page({object("c", "red")}, "30"));
    EXPECT_FALSE(condition().absent);
    EXPECT_THAT(sink.content(), ElementsAre("ns/c=red"));
    EXPECT_EQ(relists(RelistCause::Error), 1U);
    open();
    end_watch("30");
}

TEST_F(ReflectorRefusal, AbsenceThatDoesNotLastEmptiesNothing) {
    end_watch();
    be_absent(55s);
    EXPECT_TRUE(condition().absent);
    sit_out();
    fail_with(failure(503));
    EXPECT_FALSE(condition().absent) << "who is away says nothing about it";
    EXPECT_NE(condition().problem, "");
    sit_out();
    be_absent(55s);
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red"));
}

TEST_F(ReflectorRefusal, A404OfWhoStandsOnTheWayIsAFailureLikeOthers) {
    end_watch();
    for (const auto& pause : {800ms, 1600ms, 3200ms}) {
        fail_with(foreign_404());
        EXPECT_FALSE(condition().absent);
        EXPECT_EQ(condition().problem, "listing things: 404");
        EXPECT_EQ(sit_out(), pause);
        ASSERT_EQ(step(), "watch 10");
    }
    be_absent(30s);
    sit_out();
    fail_with(foreign_404());
    EXPECT_FALSE(condition().absent) << "and says nothing about the resource";
    EXPECT_THAT(sink.told(), IsEmpty());
}

using ReflectorAbsent = ReflectorTest;

TEST_F(ReflectorAbsent, A404OfWhoStandsOnTheWayIsNoAbsence) {
    fail_with(foreign_404());
    EXPECT_FALSE(condition().absent);
    EXPECT_NE(condition().problem, "");
    EXPECT_EQ(sit_out(), 800ms);
    EXPECT_EQ(step(), "stream");
}

TEST_F(ReflectorAbsent, AtTheStartIsAbsentUntilInstalled) {
    for (int round = 0; round < 30; ++round) {
        ASSERT_EQ(step(), "stream");
        fail_with(failure(404, "NotFound"));
        EXPECT_TRUE(condition().absent);
        EXPECT_FALSE(condition().synced);
        EXPECT_EQ(sit_out(), 5s);
    }
    EXPECT_THAT(sink.told(), ElementsAre("begin ", "end ")) << "once";
    follow();
    EXPECT_FALSE(condition().absent);
    EXPECT_TRUE(condition().synced);
    EXPECT_EQ(relists(RelistCause::Initial), 1U);
    EXPECT_EQ(relists(RelistCause::Error), 0U);
}

TEST_F(ReflectorAbsent, BeforeTheFirstSyncForgetsWhatWasHalfRead) {
    refuse_streams();
    got_page(page({object("a", "red")}, "10", "next"));
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red"));
    fail_with(failure(404, "NotFound"));
    EXPECT_THAT(sink.content(), IsEmpty());
    EXPECT_FALSE(condition().synced);
    sit_out();
    got_page(page({object("b", "red")}, "20", "next"));
    fail_with(failure(404, "NotFound"));
    EXPECT_THAT(sink.content(), IsEmpty()) << "and again";
}

}  // namespace
}  // namespace smw::watch::testing
