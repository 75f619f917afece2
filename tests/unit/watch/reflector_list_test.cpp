// Lists in pages.
#include "unit/watch/reflected.hpp"

namespace smw::watch::testing {
namespace {

using ::testing::ElementsAre;

class ReflectorList : public ReflectorTest {
protected:
    explicit ReflectorList(const std::string& namespace_ = "") : ReflectorTest(namespace_) {
        fail_with(failure(422, "Invalid"));
    }
};
class ReflectorListOfANamespace : public ReflectorList {
protected:
    ReflectorListOfANamespace() : ReflectorList("ns") {}
};

client::Failure too_large() {
    return silence(Code::TooLarge);
}

TEST_F(ReflectorList, FollowsTokensThenWatchesFromTheListsVersion) {
    EXPECT_EQ(wanted<GetPage>(), (GetPage{"", 500}));
    got_page(page({object("a", "red")}, "10", "t1"));
    EXPECT_EQ(wanted<GetPage>(), (GetPage{"t1", 500}));
    EXPECT_FALSE(condition().synced);
    got_page(page({object("b", "red")}, "10", "t2"));
    EXPECT_EQ(wanted<GetPage>(), (GetPage{"t2", 500}));
    got_page(page({object("c", "red")}, "10"));
    EXPECT_TRUE(condition().synced);
    EXPECT_THAT(sink.told(),
                ElementsAre("begin ", "put ns/a=red", "put ns/b=red", "put ns/c=red", "end "));
    const auto open = wanted<OpenWatch>();
    EXPECT_EQ(open.resource_version, "10");
    EXPECT_FALSE(open.initial_events);
    EXPECT_GE(open.timeout, 240s);
    EXPECT_LE(open.timeout, 290s);
}

TEST_F(ReflectorList, WatchesFromTheFirstPagesVersion) {
    got_page(page({}, "10", "t1"));
    got_page(page({}, "12"));
    EXPECT_EQ(step(), "watch 10") << "the older one loses nothing";
}

TEST_F(ReflectorList, TakesNullForNoItems) {
    got_page(R"({"metadata":{"resourceVersion":"10"},"items":null})");
    EXPECT_TRUE(condition().synced);
}

TEST_F(ReflectorList, AnExpiredTokenBeginsTheListAnewAndRemovesNothing) {
    got_page(page({object("a", "red")}, "10"));
    open();
    lines({error(410, "Expired")});
    ASSERT_EQ(step(), "list");
    got_page(page({object("b", "red")}, "20", "t1"));
    fail_with(failure(410, "Expired"));
    EXPECT_EQ(sit_out(), 800ms);
    ASSERT_EQ(step(), "list");
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red", "ns/b=red"));
    got_page(page({object("b", "red")}, "21"));
    EXPECT_THAT(sink.content(), ElementsAre("ns/b=red"));
    EXPECT_EQ(relists(RelistCause::Gone), 2U);
}

TEST_F(ReflectorList, OneThatBreaksIsBegunAnewAsAnError) {
    got_page(page({object("a", "red")}, "10", "t1"));
    fail_with(failure(500));
    EXPECT_EQ(condition().problem, "listing things: 500");
    sit_out();
    ASSERT_EQ(step(), "list");
    got_page(page({object("b", "red")}, "11"));
    EXPECT_THAT(sink.content(), ElementsAre("ns/b=red"));
    EXPECT_EQ(relists(RelistCause::Initial), 1U);
    EXPECT_EQ(relists(RelistCause::Error), 1U);
    open();
    EXPECT_EQ(condition().problem, "");
}

TEST_F(ReflectorList, CountsARelistOnlyWhenItBegins) {
    fail_with(failure(503));
    sit_out();
    fail_with(failure(410, "Expired"));
    sit_out();
    got_page(page({}, "10"));
    EXPECT_EQ(relists(RelistCause::Initial), 1U);
    EXPECT_EQ(relists(RelistCause::Gone) + relists(RelistCause::Error), 0U);
}

TEST_F(ReflectorList, ATokenThatComesTwiceIsAnEndlessList) {
    got_page(page({}, "10", "t1"));
    got_page(page({}, "10", "t1"));
    EXPECT_EQ(condition().problem, "the list does not end");
    sit_out();
    EXPECT_EQ(step(), "list");
    EXPECT_FALSE(condition().synced);
}

TEST_F(ReflectorList, EndsAfterFourThousandPages) {
    for (int number = 1; number <= 4000; ++number) {
        ASSERT_EQ(condition().problem, "") << number;
        got_page(page({}, "10", "t" + std::to_string(number)));
    }
    EXPECT_EQ(condition().problem, "the list does not end");
    EXPECT_EQ(step(), "pause");
}

TEST_F(ReflectorList, FourThousandPagesMayEnd) {
    for (int number = 1; number < 4000; ++number) {
        got_page(page({}, "10", "t" + std::to_string(number)));
    }
    got_page(page({}, "10"));
    EXPECT_TRUE(condition().synced);
}

TEST_F(ReflectorList, WhatIsNoListIsAFailure) {
    got_page(page({object("a", "red")}, "10"));
    open();
    for (const auto* text :
         {"[]", "7", "{}", R"({"metadata":{"resourceVersion":"11"}})",
          R"({"metadata":{"resourceVersion":"11"},"items":{}})",
          R"({"metadata":{"resourceVersion":"11"},"items":"no"})", R"({"items":[]})",
          R"({"metadata":{"resourceVersion":""},"items":[]})",
          R"({"metadata":{"resourceVersion":"0"},"items":[]})",
          R"({"metadata":{"resourceVersion":11},"items":[]})", R"({"metadata":[],"items":[]})",
          R"({"kind":"Status","metadata":{},"status":"Failure","code":500})"}) {
        if (step() == "read") {
            lines({error(410, "Gone")});
        }
        ASSERT_EQ(step(), "list");
        got_page(text);
        EXPECT_NE(condition().problem, "") << text;
        sit_out();
    }
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red"));
}

TEST_F(ReflectorList, PassesOverAndCountsWhatHasNoName) {
    sink.refused = "refused";
    got_page(page({"7", "null", R"({"metadata":{}})", R"({"metadata":{"name":7}})",
                   object("refused", "red"), object("a", "red")},
                  "10"));
    EXPECT_TRUE(condition().synced);
    EXPECT_EQ(condition().skipped, 5U);
    EXPECT_THAT(sink.content(), ElementsAre("ns/a=red"));
}

TEST_F(ReflectorListOfANamespace, PassesOverAndCountsWhatIsElsewhere) {
    got_page(
        page({object("a", "red"), object("b", "red", "", "other"), R"({"metadata":{"name":"c"}})"},
             "10"));
    EXPECT_EQ(condition().skipped, 2U);
    EXPECT_THAT(sink.told(), ElementsAre("begin ns", "put ns/a=red", "end ns"));
}

TEST_F(ReflectorList, MakesPagesSmallerUntilTheyFit) {
    got_page(page({}, "10", "t1"));
    for (const auto limit : {125U, 31U, 7U, 1U}) {
        fail_with(too_large());
        EXPECT_EQ(wanted<GetPage>(), (GetPage{"", limit})) << "anew, at once";
        EXPECT_EQ(condition().problem, "");
    }
    fail_with(too_large());
    EXPECT_NE(condition().problem, "");
    EXPECT_EQ(sit_out(), 800ms);
    EXPECT_EQ(wanted<GetPage>(), (GetPage{"", 1}));
    got_page(page({}, "10"));
    open();
    lines({error(410, "Gone")});
    EXPECT_EQ(wanted<GetPage>(), (GetPage{"", 500})) << "the next list has another chance";
}

TEST_F(ReflectorList, SmallerPagesMayBeMore) {
    fail_with(too_large());
    for (int number = 1; number < 16000; ++number) {
        got_page(page({}, "10", "t" + std::to_string(number)));
    }
    EXPECT_EQ(condition().problem, "");
    got_page(page({}, "10", "last"));
    EXPECT_EQ(condition().problem, "the list does not end");
}

TEST_F(ReflectorList, EveryRefusalIsTriedAgainLater) {
    for (const auto& why :
         {failure(400), failure(401), failure(403), failure(405), failure(422), failure(429),
          failure(500), failure(503), failure(504, "Timeout"), failure(302),
          silence(Code::Unavailable), silence(Code::DeadlineExceeded), silence(Code::Internal)}) {
        ASSERT_EQ(step(), "list") << why.status.code;
        fail_with(why);
        EXPECT_EQ(condition().problem, why.error.message);
        EXPECT_FALSE(condition().absent);
        sit_out();
    }
    EXPECT_EQ(step(), "list");
}

}  // namespace
}  // namespace smw::watch::testing
