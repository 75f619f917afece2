// Delays between tries.
#include "smw/base/backoff.hpp"

#include <gtest/gtest.h>

#include <set>

namespace smw {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BackoffSettings without_jitter() {
    BackoffSettings settings;
    settings.jitter = 0;
    return settings;
}

TEST(Backoff, DoublesUpToTheMost) {
    Backoff backoff{without_jitter(), 1};
    TimePoint now{seconds{1000}};
    for (const auto expected : {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}) {
        const auto delay = backoff.next(now);
        EXPECT_EQ(delay, milliseconds{expected});
        now += delay;
    }
}

TEST(Backoff, AddsUpToAsMuchAgain) {
    std::set<Duration> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Backoff backoff{BackoffSettings{}, seed};
        const auto delay = backoff.next(TimePoint{seconds{1000}});
        EXPECT_GE(delay, milliseconds{800});
        EXPECT_LE(delay, milliseconds{1600});
        seen.insert(delay);
    }
    EXPECT_GT(seen.size(), 50U) << "clients that lost one server do not come back at once";
}

TEST(Backoff, BeginsAnewAfterALongQuiet) {
    Backoff backoff{without_jitter(), 1};
    TimePoint now{seconds{1000}};
    now += backoff.next(now);
    now += backoff.next(now);
    EXPECT_EQ(backoff.next(now + seconds{119}), milliseconds{3200});
    now += seconds{119} + milliseconds{3200};
    EXPECT_EQ(backoff.next(now + seconds{121}), milliseconds{800});
}

TEST(Backoff, BeginsAnewWhenTold) {
    Backoff backoff{without_jitter(), 1};
    const TimePoint now{seconds{1000}};
    static_cast<void>(backoff.next(now));
    static_cast<void>(backoff.next(now));
    backoff.reset();
    EXPECT_EQ(backoff.next(now), milliseconds{800});
}

}  // namespace
}  // namespace smw
