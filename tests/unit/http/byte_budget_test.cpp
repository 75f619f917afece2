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

}  // namespace
}  // namespace smw::http
