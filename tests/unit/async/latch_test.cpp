#include "smw/async/latch.hpp"

#include "run.hpp"
#include "smw/async/sleep.hpp"
#include "smw/async/task_group.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace smw::async {
namespace {

TEST(Latch, IsOpenOnceSet) {
    boost::asio::io_context context;
    Latch latch;
    EXPECT_FALSE(latch.is_set());
    latch.set();
    latch.set();
    EXPECT_TRUE(latch.is_set());
    EXPECT_TRUE(run(context, latch.wait(Deadline::never())));
}

TEST(Latch, LetsGoAtTheDeadline) {
    boost::asio::io_context context;
    Latch latch;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(run(context, latch.wait(Deadline::after(std::chrono::milliseconds{20}))));
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{20});
}

TEST(Latch, DoesNotWaitPastADeadlineThatIsOver) {
    boost::asio::io_context context;
    Latch latch;
    EXPECT_FALSE(run(context, latch.wait(Deadline::at(TimePoint{}))));
    latch.set();
    EXPECT_TRUE(run(context, latch.wait(Deadline::at(TimePoint{}))));
}

TEST(Latch, IsSetFromAnotherThread) {
    boost::asio::io_context context;
    Latch latch;
    std::thread setter{[&latch] {
        latch.set();
    }};
    EXPECT_TRUE(run(context, latch.wait(Deadline::never())));
    setter.join();
}

Task<void> note(Latch& latch, std::optional<bool>& result) {
    result = co_await latch.wait(Deadline::never());
}

TEST(Latch, LetsAllWaitersGo) {
    boost::asio::io_context context;
    Latch latch;
    std::optional<bool> first;
    std::optional<bool> second;
    TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                        FAIL();
                    }};
    tasks.spawn(note(latch, first));
    tasks.spawn(note(latch, second));
    context.poll();
    EXPECT_FALSE(first);
    latch.set();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    EXPECT_EQ(first, true);
    EXPECT_EQ(second, true);
}

TEST(Latch, AWaiterMayBeCancelled) {
    boost::asio::io_context context;
    Latch latch;
    std::optional<bool> result;
    TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                        FAIL();
                    }};
    tasks.spawn(note(latch, result));
    context.poll();
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    EXPECT_NE(result, true);
    latch.set();  // nobody is left to be told
}

TEST(Latch, AWaiterMayBeDestroyedWithItsLoop) {
    Latch latch;
    std::optional<bool> result;
    {
        boost::asio::io_context context;
        TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                            FAIL();
                        }};
        tasks.spawn(note(latch, result));
        context.poll();
    }
    latch.set();
    EXPECT_FALSE(result);
}

}  // namespace
}  // namespace smw::async
