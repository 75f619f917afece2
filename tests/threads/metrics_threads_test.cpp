// Claim: handles are incremented, families made and the text exposed on many threads at once.

#include "smw/metrics/registry.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace smw::test {
namespace {

TEST(MetricsThreads, CountWhileTheyAreExposed) {
    constexpr int kRounds = 2000;
    metrics::Registry registry;
    const std::array<double, 2> buckets{0.1, 1};
    const auto counter = registry.counter({"smw_test_total", "Test.", {"label"}}).with({"a"});
    const auto gauge = registry.gauge({"smw_test", "Test.", {}}).with({});
    const auto histogram = registry.histogram({"smw_test_seconds", "Test.", {}}, buckets).with({});
    registry.on_collect([gauge] { gauge.add(0); });
    const auto count = [&] {
        for (int round = 0; round < kRounds; ++round) {
            counter.increment();
            gauge.add(1);
            histogram.observe(0.5);
            registry.counter({"smw_test_total", "Test.", {"label"}}).with({"b"}).increment();
        }
    };
    std::vector<std::thread> threads;
    for (int index = 0; index < 3; ++index) {
        threads.emplace_back(count);
    }
    for (int round = 0; round < 20; ++round) {
        EXPECT_NE(registry.expose().find("smw_test_total{label=\"a\"}"), std::string::npos);
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(counter.value(), 3.0 * kRounds);
    EXPECT_EQ(gauge.value(), 3.0 * kRounds);
    const std::string text = registry.expose();
    EXPECT_NE(text.find("smw_test_total{label=\"b\"} 6000"), std::string::npos);
    EXPECT_NE(text.find("smw_test_seconds_count 6000"), std::string::npos);
}

}  // namespace
}  // namespace smw::test
