#include "http/byte_budget.hpp"

#include <gtest/gtest.h>

namespace smw::http {
namespace {

TEST(ByteBudget, IsFullAtItsCap) {
    ByteBudget budget{100};
    EXPECT_TRUE(budget.reserve(60));
    EXPECT_TRUE(budget.reserve(40));
    EXPECT_FALSE(budget.reserve(1));
    EXPECT_EQ(budget.used(), 100U);
    budget.release(40);
    EXPECT_TRUE(budget.reserve(40));
}

TEST(ByteBudget, OneAlwaysFits) {
    ByteBudget budget{100};
    EXPECT_TRUE(budget.reserve(5000));
    EXPECT_FALSE(budget.reserve(1));
    EXPECT_TRUE(budget.reserve(5000, 5000)) << "the one that is alone may grow";
    EXPECT_EQ(budget.used(), 10000U);
    budget.release(10000);
    EXPECT_EQ(budget.used(), 0U);
}

TEST(ByteBudget, OneOfTwoMayNotGrowOverTheCap) {
    ByteBudget budget{100};
    EXPECT_TRUE(budget.reserve(50));
    EXPECT_TRUE(budget.reserve(50));
    EXPECT_FALSE(budget.reserve(1, 50));
    EXPECT_EQ(budget.used(), 100U) << "a refusal reserves nothing";
}

TEST(ByteBudget, WhoGrowsLeavesASixteenthToThoseWhoBegin) {
    ByteBudget budget{1600};
    EXPECT_TRUE(budget.reserve(750));
    EXPECT_TRUE(budget.reserve(700));
    EXPECT_FALSE(budget.reserve(51, 700));
    EXPECT_TRUE(budget.reserve(50, 700));
    EXPECT_TRUE(budget.reserve(100)) << "who begins may have it";
    EXPECT_EQ(budget.used(), 1600U);
}

TEST(ByteBudget, TellsWhetherOneThatGrowsWouldFit) {
    ByteBudget budget{1600};
    EXPECT_TRUE(budget.has_room_for(5000)) << "one always fits";
    EXPECT_EQ(budget.used(), 0U);
    EXPECT_TRUE(budget.reserve(100));
    EXPECT_TRUE(budget.has_room_for(1400));
    EXPECT_FALSE(budget.has_room_for(1401));
}

}  // namespace
}  // namespace smw::http
