#include "smw/base/clock.hpp"

#include "smw/base/deadline.hpp"

#include <gtest/gtest.h>

namespace smw {
namespace {

using std::chrono::seconds;

constexpr TimePoint kNow{seconds(1000)};

TEST(Deadline, HasPassedFromItsMomentOn) {
    const Deadline deadline = Deadline::at(kNow);
    EXPECT_FALSE(deadline.passed(kNow - Duration{1}));
    EXPECT_TRUE(deadline.passed(kNow));
    EXPECT_TRUE(deadline.passed(kNow + seconds(1)));
}

TEST(Deadline, WhatRemainsIsNeverNegative) {
    const Deadline deadline = Deadline::at(kNow);
    EXPECT_EQ(deadline.remaining(kNow - seconds(3)), seconds(3));
    EXPECT_EQ(deadline.remaining(kNow), Duration::zero());
    EXPECT_EQ(deadline.remaining(kNow + seconds(3)), Duration::zero());
}

TEST(Deadline, NeverDoesNotPass) {
    EXPECT_TRUE(Deadline::never().is_never());
    EXPECT_FALSE(Deadline::never().passed(kNow));
    EXPECT_FALSE(Deadline::at(kNow).is_never());
}

TEST(Deadline, TheNearerOfTwoIsTheEarlier) {
    const Deadline near = Deadline::at(kNow);
    const Deadline far = Deadline::at(kNow + seconds(1));
    EXPECT_EQ(near.nearer(far), near);
    EXPECT_EQ(far.nearer(near), near);
    EXPECT_EQ(near.nearer(Deadline::never()), near);
    EXPECT_LT(near, far);
}

TEST(Deadline, AfterCountsFromNow) {
    const TimePoint before = SystemClock{}.now();
    const Deadline deadline = Deadline::after(seconds(5));
    EXPECT_GE(deadline.when(), before + seconds(5));
    EXPECT_LE(deadline.when(), SystemClock{}.now() + seconds(5));
}

TEST(SystemClock, GivesWallTimeOfThisCentury) {
    EXPECT_GT(SystemClock{}.wall(), WallTime{std::chrono::hours(24 * 365 * 50)});
}

}  // namespace
}  // namespace smw
