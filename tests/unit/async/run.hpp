#pragma once
// Runs a coroutine to its end on this thread.

#include "smw/async/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace smw::async {

/// Nothing in these tests takes longer, unless it hangs.
inline constexpr std::chrono::seconds kPatience{20};

template <class T>
T run(boost::asio::io_context& context, Task<T> task) {
    auto result = boost::asio::co_spawn(context, std::move(task), boost::asio::use_future);
    context.restart();
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (result.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        if (context.run_one_until(until) == 0) {
            throw std::runtime_error{"the coroutine hangs"};
        }
    }
    return result.get();
}

}  // namespace smw::async
