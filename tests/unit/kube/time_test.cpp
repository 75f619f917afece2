#include "oracle_table.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace smw::kube {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

/// What the table says about a time, for this clock.
std::optional<system_clock::time_point> expected_time(const std::string& verdict) {
    if (verdict == "no") {
        return std::nullopt;
    }
    const auto point = verdict.find('.');
    const std::int64_t whole = std::stoll(verdict.substr(0, point));
    const std::int64_t rest = std::stoll(verdict.substr(point + 1));
    if (whole > 9'223'372'036) {
        return system_clock::time_point::max();
    }
    if (whole < -9'223'372'036) {
        return system_clock::time_point::min();
    }
    return system_clock::time_point{seconds{whole}} + std::chrono::nanoseconds{rest};
}

TEST(ParseTime, AgreesWithGo) {
    const auto cases = test::read_oracle_table("times.txt");
    ASSERT_GT(cases.size(), 350U);
    for (const auto& entry : cases) {
        EXPECT_EQ(parse_time(entry.text), expected_time(entry.verdict)) << entry.line;
    }
}

TEST(ParseTime, KeepsTheOrderOfTimesBeyondTheClock) {
    const auto early = parse_time("0001-01-01T00:00:00Z");
    const auto now = parse_time("2026-11-21T07:41:51Z");
    const auto late = parse_time("9999-12-31T23:59:59Z");
    ASSERT_TRUE(early && now && late);
    EXPECT_LT(*early, *now);
    EXPECT_LT(*now, *late);
    EXPECT_EQ(parse_time("2262-04-11T23:47:16.854775807Z"), system_clock::time_point::max());
    EXPECT_LT(parse_time("2262-04-11T23:47:16.854775806Z"), system_clock::time_point::max());
    EXPECT_EQ(parse_time("2262-04-11T23:47:16.854775808Z"), system_clock::time_point::max());
}

TEST(ParseTime, ComparesInstantsAndNotClocks) {
    EXPECT_EQ(parse_time("2026-11-21T00:30:00+01:00"), parse_time("2026-11-20T23:30:00Z"));
    EXPECT_LT(parse_time("2026-11-21T09:00:00+05:00"), parse_time("2026-11-21T05:00:00Z"));
}

TEST(ParseDuration, AgreesWithGo) {
    const auto cases = test::read_oracle_table("durations.txt");
    ASSERT_GT(cases.size(), 350U);
    for (const auto& entry : cases) {
        const auto found = parse_duration(entry.text);
        EXPECT_EQ(found ? fmt::format("{}", found->count()) : "no", entry.verdict) << entry.line;
    }
}

}  // namespace
}  // namespace smw::kube
