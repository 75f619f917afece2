// Claim: a Snapshot's readers see whole values, never older ones than before, while it is
// published to.

#include "smw/async/snapshot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace smw::test {
namespace {

struct Value {
    std::uint64_t number = 0;
    std::vector<std::uint64_t> copies;
};

TEST(SnapshotThreads, ReadersSeeWholeValuesInOrder) {
    constexpr std::uint64_t kLast = 3000;
    async::Snapshot<Value> snapshot;
    std::atomic<int> torn{0};
    std::atomic<int> backwards{0};
    const auto read = [&] {
        std::uint64_t seen = 0;
        while (seen < kLast) {
            const auto version = snapshot.version();
            const auto value = snapshot.load();
            if (!value) {
                continue;
            }
            for (const auto copy : value->copies) {
                torn += copy == value->number ? 0 : 1;
            }
            backwards += value->number < seen || value->number < version ? 1 : 0;
            seen = value->number;
        }
    };
    std::vector<std::thread> readers;
    for (int index = 0; index < 3; ++index) {
        readers.emplace_back(read);
    }
    for (std::uint64_t number = 1; number <= kLast; ++number) {
        snapshot.publish(
            std::make_shared<const Value>(Value{number, std::vector<std::uint64_t>(16, number)}));
    }
    for (auto& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(backwards, 0);
}

}  // namespace
}  // namespace smw::test
