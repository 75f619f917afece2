#include "smw/async/with_deadline.hpp"

#include "smw/async/sleep.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace smw::async {

namespace asio = boost::asio;

namespace {

bool is_cancellation(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

Task<bool> ended_by(Task<void> work, Deadline deadline) {
    if (deadline.is_never()) {
        co_await std::move(work);
        co_await throw_if_cancelled();
        co_return true;
    }
    if (deadline.passed(std::chrono::steady_clock::now())) {
        co_return false;
    }
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer{executor, deadline.when()};
    auto both = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(work), asio::deferred),
        timer.async_wait(asio::deferred));
    const auto [order, thrown, ignored] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    co_await throw_if_cancelled();
    const bool in_time = order[0] == 0;
    if (thrown && (in_time || !is_cancellation(thrown))) {
        std::rethrow_exception(thrown);
    }
    co_return in_time;
}

}  // namespace smw::async
