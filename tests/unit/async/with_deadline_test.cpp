#include "smw/async/with_deadline.hpp"

#include "run.hpp"
#include "smw/async/sleep.hpp"
#include "smw/async/task_group.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace smw::async {
namespace {

constexpr std::chrono::milliseconds kMoment{10};
constexpr std::chrono::hours kLong{1};

/// How a piece of work went.
struct Trace {
    bool begun = false;
    bool cancelled = false;
    bool ended = false;
};

Task<int> work_for(Duration span, Trace& trace) {
    trace.begun = true;
    try {
        co_await sleep(span);
    } catch (const boost::system::system_error&) {
        trace.cancelled = true;
        throw;
    }
    trace.ended = true;
    co_return 7;
}

Task<int> throw_after(Duration span) {
    co_await sleep(span);
    throw std::runtime_error{"defect"};
}

Task<int> throw_when_cancelled() {
    try {
        co_await sleep(kLong);
    } catch (const boost::system::system_error&) {
        throw std::runtime_error{"defect while ending"};
    }
    co_return 7;
}

/// Ends well although it was asked to end.
Task<int> ignore_cancellation() {
    try {
        co_await sleep(kLong);
    } catch (const boost::system::system_error&) {
    }
    co_return 7;
}

Task<std::unique_ptr<std::string>> make_text(std::string text) {
    co_await sleep(kMoment);
    co_return std::make_unique<std::string>(std::move(text));
}

TEST(WithDeadline, GivesWhatEndedInTime) {
    boost::asio::io_context context;
    Trace trace;
    const auto result =
        run(context, with_deadline(work_for(kMoment, trace), Deadline::after(kPatience)));
    EXPECT_EQ(result, 7);
    EXPECT_TRUE(trace.ended);
}

TEST(WithDeadline, DoesNotKeepTheLoopUntilTheDeadline) {
    boost::asio::io_context context;
    Trace trace;
    EXPECT_EQ(run(context, with_deadline(work_for(kMoment, trace), Deadline::after(kLong))), 7);
    context.restart();
    context.run_for(kPatience);
    EXPECT_TRUE(context.stopped()) << "the timer still waits";
}

TEST(WithDeadline, GivesWorkThatDoesNotWait) {
    boost::asio::io_context context;
    Trace trace;
    EXPECT_EQ(
        run(context, with_deadline(work_for(Duration::zero(), trace), Deadline::after(kPatience))),
        7);
}

TEST(WithDeadline, GivesAResultThatOnlyMoves) {
    boost::asio::io_context context;
    const auto result = run(context, with_deadline(make_text("moved"), Deadline::after(kPatience)));
    ASSERT_TRUE(result);
    EXPECT_EQ(**result, "moved");
}

TEST(WithDeadline, CancelsWhatIsLateAndWaitsForIt) {
    boost::asio::io_context context;
    Trace trace;
    const auto start = std::chrono::steady_clock::now();
    const auto result =
        run(context, with_deadline(work_for(kLong, trace), Deadline::after(kMoment)));
    EXPECT_EQ(result, std::nullopt);
    EXPECT_GE(std::chrono::steady_clock::now() - start, kMoment);
    EXPECT_TRUE(trace.cancelled) << "not over when with_deadline was";
}

TEST(WithDeadline, DoesNotBeginWhenTheDeadlineHasPassed) {
    boost::asio::io_context context;
    Trace trace;
    EXPECT_EQ(run(context, with_deadline(work_for(kMoment, trace), Deadline::at(TimePoint{}))),
              std::nullopt);
    EXPECT_FALSE(trace.begun);
}

TEST(WithDeadline, WaitsForeverWithoutADeadline) {
    boost::asio::io_context context;
    Trace trace;
    EXPECT_EQ(run(context, with_deadline(work_for(kMoment, trace), Deadline::never())), 7);
}

TEST(WithDeadline, RethrowsWhatTheWorkThrew) {
    for (const Deadline deadline : {Deadline::after(kPatience), Deadline::never()}) {
        boost::asio::io_context context;
        EXPECT_THROW(run(context, with_deadline(throw_after(kMoment), deadline)),
                     std::runtime_error);
    }
}

TEST(WithDeadline, RethrowsADefectOfWorkThatWasLate) {
    boost::asio::io_context context;
    EXPECT_THROW(run(context, with_deadline(throw_when_cancelled(), Deadline::after(kMoment))),
                 std::runtime_error);
}

TEST(WithDeadline, DropsWhatCameTooLate) {
    boost::asio::io_context context;
    EXPECT_EQ(run(context, with_deadline(ignore_cancellation(), Deadline::after(kMoment))),
              std::nullopt);
}

Task<void> note_how_it_ended(Task<std::optional<int>> bounded, std::string& how) {
    try {
        const auto result = co_await std::move(bounded);
        how = result ? "result" : "late";
    } catch (const boost::system::system_error& error) {
        how = error.code() == boost::asio::error::operation_aborted ? "aborted" : "other";
        throw;
    }
}

TEST(WithDeadline, ACancelledCallerCancelsTheWork) {
    for (const Deadline deadline : {Deadline::after(kLong), Deadline::never()}) {
        boost::asio::io_context context;
        Trace trace;
        std::string how;
        TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                            FAIL();
                        }};
        tasks.spawn(note_how_it_ended(with_deadline(work_for(kLong, trace), deadline), how));
        context.poll();
        EXPECT_TRUE(trace.begun);
        tasks.cancel();
        EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
        EXPECT_TRUE(trace.cancelled);
        EXPECT_EQ(how, "aborted");
    }
}

TEST(WithDeadline, ACancelledCallerDoesNotTakeAResult) {
    for (const Deadline deadline : {Deadline::after(kLong), Deadline::never()}) {
        boost::asio::io_context context;
        std::string how;
        TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                            FAIL();
                        }};
        tasks.spawn(note_how_it_ended(with_deadline(ignore_cancellation(), deadline), how));
        context.poll();
        tasks.cancel();
        EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
        EXPECT_EQ(how, "aborted");
    }
}

TEST(WithDeadline, MayStandInsideAnother) {
    boost::asio::io_context context;
    Trace trace;
    auto inner = with_deadline(work_for(kLong, trace), Deadline::after(kLong));
    const auto result = run(context, with_deadline(std::move(inner), Deadline::after(kMoment)));
    EXPECT_FALSE(result);
    EXPECT_TRUE(trace.cancelled);
}

TEST(WithDeadline, MayBeDestroyedWhileItWaits) {
    Trace trace;
    {
        boost::asio::io_context context;
        auto bounded = with_deadline(work_for(kLong, trace), Deadline::after(kLong));
        auto result = boost::asio::co_spawn(context, std::move(bounded), boost::asio::use_future);
        context.poll();
        EXPECT_TRUE(trace.begun);
    }
    EXPECT_FALSE(trace.ended);
}

}  // namespace
}  // namespace smw::async
