#include "smw/async/signal.hpp"

#include "run.hpp"
#include "smw/async/task_group.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <optional>

namespace smw::async {
namespace {

using namespace std::chrono_literals;

TEST(Signal, WakesTheOneWhoWaits) {
    boost::asio::io_context context;
    Signal signal;
    boost::asio::post(context, [&] { signal.raise(); });
    EXPECT_TRUE(run(context, signal.wait(Deadline::never())));
}

TEST(Signal, IsKeptForWhoWaitsNext) {
    boost::asio::io_context context;
    Signal signal;
    signal.raise();
    signal.raise();
    EXPECT_TRUE(run(context, signal.wait(Deadline::never())));
    EXPECT_FALSE(run(context, signal.wait(Deadline::after(1ms)))) << "twice raised is once heard";
}

TEST(Signal, LetsGoAtTheDeadline) {
    boost::asio::io_context context;
    Signal signal;
    EXPECT_FALSE(run(context, signal.wait(Deadline::after(1ms))));
    EXPECT_FALSE(run(context, signal.wait(Deadline::at(TimePoint{}))));
    signal.raise();
    EXPECT_TRUE(run(context, signal.wait(Deadline::at(TimePoint{})))) << "it stays usable";
}

Task<void> note(Signal& signal, std::optional<bool>& heard) {
    heard = co_await signal.wait(Deadline::never());
}

TEST(Signal, AWaiterCanBeCancelled) {
    boost::asio::io_context context;
    Signal signal;
    std::optional<bool> heard;
    TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                        ADD_FAILURE() << "cancellation is no defect";
                    }};
    tasks.spawn(note(signal, heard));
    context.poll();
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    EXPECT_FALSE(heard);
    signal.raise();  // touches nothing of the wait that is gone
    EXPECT_TRUE(run(context, signal.wait(Deadline::never())));
}

}  // namespace
}  // namespace smw::async
