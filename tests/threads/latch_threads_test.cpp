// Claim: a Latch may be set on any thread while coroutines on many shards wait, begin to wait, and
// give up. Worth running under ThreadSanitizer.

#include "smw/async/latch.hpp"
#include "smw/async/shards.hpp"
#include "support/eventually.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

namespace smw::test {
namespace {

Task<int> wait_for(async::Latch& latch, Deadline deadline) {
    const bool set = co_await latch.wait(deadline);
    co_return set ? 1 : 0;
}

TEST(LatchThreads, AllWhoWaitAreLetGoWhoeverSetsIt) {
    async::Shards shards{3};
    shards.start();
    for (int round = 0; round < 100; ++round) {
        async::Latch latch;
        std::vector<std::future<int>> waiters;
        const auto add = [&](std::size_t shard, Deadline deadline) {
            waiters.push_back(boost::asio::co_spawn(
                shards.at(shard).executor(), wait_for(latch, deadline), boost::asio::use_future));
        };
        for (std::size_t index = 0; index < 6; ++index) {
            add(index % 3, Deadline::never());
        }
        std::thread one{[&latch] {
            latch.set();
        }};
        std::thread other{[&latch] {
            latch.set();
        }};
        for (std::size_t index = 0; index < 6; ++index) {
            add(index % 3, Deadline::after(kPatience));
        }
        for (auto& waiter : waiters) {
            ASSERT_EQ(waiter.wait_for(kPatience), std::future_status::ready);
            EXPECT_EQ(waiter.get(), 1);
        }
        one.join();
        other.join();
    }
    shards.stop();
}

TEST(LatchThreads, GivingUpAndBeingSetAtOnceIsSafe) {
    async::Shards shards{2};
    shards.start();
    for (int round = 0; round < 100; ++round) {
        async::Latch latch;
        std::vector<std::future<int>> waiters;
        for (std::size_t index = 0; index < 4; ++index) {
            waiters.push_back(boost::asio::co_spawn(
                shards.at(index % 2).executor(),
                wait_for(latch, Deadline::after(std::chrono::microseconds{100})),
                boost::asio::use_future));
        }
        latch.set();
        for (auto& waiter : waiters) {
            ASSERT_EQ(waiter.wait_for(kPatience), std::future_status::ready);
        }
        EXPECT_TRUE(latch.is_set());
    }
    shards.stop();
}

}  // namespace
}  // namespace smw::test
