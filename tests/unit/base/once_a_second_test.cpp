#include "smw/base/once_a_second.hpp"

#include <gtest/gtest.h>

namespace smw {
namespace {

using std::chrono::milliseconds;

TEST(OnceASecond, LetsOneThroughThenNoneForASecond) {
    OnceASecond gate;
    const TimePoint start = TimePoint{} + std::chrono::hours{1};
    EXPECT_TRUE(gate.pass(start));
    EXPECT_FALSE(gate.pass(start));
    EXPECT_FALSE(gate.pass(start + milliseconds{999}));
    EXPECT_TRUE(gate.pass(start + milliseconds{1000}));
    EXPECT_FALSE(gate.pass(start + milliseconds{1999}));
    EXPECT_TRUE(gate.pass(start + std::chrono::hours{1}));
}

TEST(OnceASecond, TheFirstPassesRightAfterTheMachinesStart) {
    OnceASecond gate;
    EXPECT_TRUE(gate.pass(TimePoint{}));
}

}  // namespace
}  // namespace smw
