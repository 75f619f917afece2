#include "smw/async/task_group.hpp"

#include "run.hpp"
#include "smw/async/sleep.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace smw::async {
namespace {

/// What on_exception heard.
struct Heard {
    std::vector<std::string> what;

    [[nodiscard]] std::function<void(std::exception_ptr)> listener() {
        return [this](std::exception_ptr error) {
            try {
                std::rethrow_exception(error);
            } catch (const std::exception& thrown) {
                what.emplace_back(thrown.what());
            } catch (int number) {
                what.push_back(std::to_string(number));
            }
        };
    }
};

Task<void> count_after(Duration span, int& count) {
    co_await sleep(span);
    ++count;
}

Task<void> throw_error() {
    throw std::runtime_error{"defect"};
    co_return;
}

Task<void> throw_number() {
    throw 42;
    co_return;
}

Task<void> hold_through_cancel(int& count) {
    try {
        co_await sleep(std::chrono::hours{1});
    } catch (const std::exception&) {
        ++count;
        throw;
    }
}

constexpr std::chrono::milliseconds kMoment{10};

TEST(TaskGroup, JoinsWhatItStarted) {
    boost::asio::io_context context;
    Heard heard;
    int count = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    EXPECT_TRUE(run(context, tasks.join(Deadline::never()))) << "nothing to wait for";
    tasks.spawn(count_after(kMoment, count));
    tasks.spawn(count_after(2 * kMoment, count));
    EXPECT_EQ(tasks.size(), 2U);
    EXPECT_TRUE(run(context, tasks.join(Deadline::never())));
    EXPECT_EQ(count, 2);
    EXPECT_EQ(tasks.size(), 0U);
    EXPECT_TRUE(heard.what.empty());
}

TEST(TaskGroup, JoinGivesUpAtTheDeadline) {
    boost::asio::io_context context;
    Heard heard;
    int count = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    tasks.spawn(count_after(std::chrono::hours{1}, count));
    EXPECT_FALSE(run(context, tasks.join(Deadline::after(kMoment))));
    EXPECT_EQ(tasks.size(), 1U);
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    EXPECT_EQ(count, 0);
}

TEST(TaskGroup, CancelEndsPendingWaitsQuietly) {
    boost::asio::io_context context;
    Heard heard;
    int ended = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    for (int index = 0; index < 3; ++index) {
        tasks.spawn(hold_through_cancel(ended));
    }
    context.poll();
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    EXPECT_EQ(ended, 3);
    EXPECT_TRUE(heard.what.empty()) << "cancellation is no defect";
}

TEST(TaskGroup, CancelBeforeTheFirstStepEndsTheTask) {
    boost::asio::io_context context;
    Heard heard;
    int count = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    tasks.spawn(count_after(std::chrono::hours{1}, count));
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
}

TEST(TaskGroup, DoesNotBeginTasksAfterCancel) {
    boost::asio::io_context context;
    Heard heard;
    int count = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    tasks.cancel();
    tasks.spawn(count_after(Duration::zero(), count));
    EXPECT_EQ(tasks.size(), 0U);
    context.run();
    EXPECT_EQ(count, 0);
}

TEST(TaskGroup, HearsOfExceptionsAndGoesOn) {
    boost::asio::io_context context;
    Heard heard;
    int count = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    tasks.spawn(throw_error());
    tasks.spawn(throw_number());
    tasks.spawn(count_after(kMoment, count));
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    EXPECT_EQ(heard.what, (std::vector<std::string>{"defect", "42"}));
    EXPECT_EQ(count, 1);
}

Task<void> join_and_count(TaskGroup& tasks, int& joined) {
    const bool all = co_await tasks.join(Deadline::after(kPatience));
    joined += all ? 1 : 0;
}

TEST(TaskGroup, MayBeJoinedByTwo) {
    boost::asio::io_context context;
    Heard heard;
    int count = 0;
    int joined = 0;
    TaskGroup tasks{context.get_executor(), heard.listener()};
    TaskGroup joiners{context.get_executor(), heard.listener()};
    tasks.spawn(count_after(kMoment, count));
    joiners.spawn(join_and_count(tasks, joined));
    joiners.spawn(join_and_count(tasks, joined));
    context.poll();
    // Two who wait must not wake each other over and over.
    EXPECT_EQ(context.poll(), 0U);
    EXPECT_TRUE(run(context, joiners.join(Deadline::after(kPatience))));
    EXPECT_EQ(joined, 2);
}

TEST(TaskGroup, MayGoBeforeItsLoopWhichStillHasTasks) {
    int count = 0;
    Heard heard;
    boost::asio::io_context context;
    {
        TaskGroup tasks{context.get_executor(), heard.listener()};
        tasks.spawn(count_after(kMoment, count));
        context.poll();
    }
    context.run();
    EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace smw::async
