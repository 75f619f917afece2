#include "smw/async/forever.hpp"

#include "run.hpp"
#include "smw/async/sleep.hpp"
#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"

#include <gtest/gtest.h>

#include <new>
#include <string>
#include <vector>

namespace smw::async {
namespace {

struct Rounds {
    int count = 0;
    std::vector<std::string> thrown;

    Task<void> round() {
        if (++count == 2) {
            throw std::bad_alloc{};
        }
        if (count == 4) {
            co_await sleep(std::chrono::hours{1});
        }
        co_await sleep(Duration::zero());
    }
};

TEST(Forever, GoesOnAfterARoundThatThrew) {
    boost::asio::io_context context;
    Rounds rounds;
    TaskGroup tasks{context.get_executor(), [](const std::exception_ptr& error) {
                        ADD_FAILURE() << describe_thrown(error);
                    }};
    tasks.spawn(forever([&rounds] { return rounds.round(); },
                        [&rounds](const std::exception_ptr& thrown) {
                            rounds.thrown.push_back(describe_thrown(thrown));
                        }));
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (rounds.count < 4 && context.run_one_until(until) > 0) {
    }
    EXPECT_EQ(rounds.count, 4);
    EXPECT_EQ(rounds.thrown, std::vector<std::string>{"std::bad_alloc"});
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience)))) << "it ends when cancelled";
}

}  // namespace
}  // namespace smw::async
