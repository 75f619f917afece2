#include "app/budgets.hpp"

#include <gtest/gtest.h>

#include <string>

namespace smw::app {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

/// The limit of deploy/daemonset.yaml and deployment.yaml, and the most threads there are by
/// default.
constexpr std::uint64_t kDeployed = 256 * kMebi;
constexpr std::size_t kThreads = 4;

TEST(Budgets, TheDefaultsFitIntoTheContainerThatIsDeployed) {
    EXPECT_TRUE(shortfalls({1048576, kDeployed}, http::Limits{}, kThreads).empty());
    EXPECT_TRUE(shortfalls({std::nullopt, std::nullopt}, http::Limits{}, kThreads).empty());
}

TEST(Budgets, EachByteOfABodyIsCountedWithWhatTheParserMakesOfIt) {
    http::Limits more;
    more.max_bytes_in_flight += kMebi;
    EXPECT_EQ(needed_for(more, 1).memory() - needed_for({}, 1).memory(), 13 * kMebi);
    http::Limits one_large;
    one_large.max_body_bytes = 9 * kMebi;  // one body always fits
    EXPECT_EQ(needed_for(one_large, 1), needed_for(more, 1));
}

TEST(Budgets, TooFewDescriptorsAreSaidWithWhatWouldDo) {
    // 1024 connections, 128 of probes and metrics, 3 for each of 5 loops, 64 others.
    EXPECT_TRUE(shortfalls({1231, std::nullopt}, {}, kThreads).empty());
    const auto found = shortfalls({1230, std::nullopt}, {}, kThreads);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].given, "1230");
    EXPECT_EQ(found[0].needed, "1231");
    EXPECT_EQ(found[0].remedy,
              "raise it to 1231 (ulimit -Hn, LimitNOFILE=), or lower --max-connections to 1023");
    EXPECT_EQ(shortfalls({64, std::nullopt}, {}, kThreads)[0].remedy,
              "raise it to 1231 (ulimit -Hn, LimitNOFILE=)");
}

/// Remedies are held against the estimate itself: what they say must do.
struct Remedy {
    std::string name;
    std::size_t connections;
    std::uint64_t in_flight;
    std::uint64_t body;
    std::string expected;
};

class MemoryRemedy : public ::testing::TestWithParam<Remedy> {};

TEST_P(MemoryRemedy, NamesTheFlagThatTakesMost) {
    http::Limits limits;
    limits.max_connections = GetParam().connections;
    limits.max_bytes_in_flight = GetParam().in_flight;
    limits.max_body_bytes = GetParam().body;
    const auto found = shortfalls({std::nullopt, 128 * kMebi}, limits, 1);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].given, "128Mi");
    const auto needed = in_mebibytes(needed_for(limits, 1).memory());
    EXPECT_EQ(found[0].needed, needed);
    EXPECT_EQ(found[0].remedy, "raise it to " + needed + ", or " + GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Flags, MemoryRemedy,
    ::testing::Values(
        // 100 MiB are left beside the start and one thread.
        Remedy{"Connections", 2048, 1 * kMebi, 1 * kMebi, "lower --max-connections to 1590"},
        Remedy{"BytesInFlight", 64, 64 * kMebi, 1 * kMebi, "lower --max-bytes-in-flight to 7Mi"},
        Remedy{"OneBody", 64, 4 * kMebi, 64 * kMebi, "lower --max-body-bytes to 6Mi"},
        Remedy{"BothOfBodies", 64, 64 * kMebi, 64 * kMebi,
               "lower --max-bytes-in-flight to 7Mi and --max-body-bytes to 6Mi"},
        Remedy{"All", 4096, 64 * kMebi, 7 * kMebi,
               "lower --max-bytes-in-flight, --max-body-bytes and --max-connections"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Budgets, ANumberWithoutSenseIsStillANumber) {
    http::Limits limits;
    limits.max_connections = SIZE_MAX;
    limits.max_bytes_in_flight = SIZE_MAX;
    EXPECT_EQ(shortfalls({1024, kDeployed}, limits, SIZE_MAX / 64).size(), 2U);
}

}  // namespace
}  // namespace smw::app
