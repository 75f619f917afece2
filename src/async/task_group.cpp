#include "smw/async/task_group.hpp"

#include "smw/async/sleep.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <list>
#include <stdexcept>

namespace smw::async {

namespace asio = boost::asio;

/// Shared with the completion handlers, which may run while the group is being destroyed.
struct TaskGroup::State {
    State(asio::any_io_executor on, std::function<void(std::exception_ptr)> hear)
        : executor(std::move(on)), on_exception(std::move(hear)) {}

    asio::any_io_executor executor;
    std::function<void(std::exception_ptr)> on_exception;
    std::list<asio::cancellation_signal> running;
    bool cancelled = false;
    std::list<asio::steady_timer*> joiners;  ///< cancelled when the last task has ended

    void ended(std::list<asio::cancellation_signal>::iterator place, std::exception_ptr error) {
        running.erase(place);
        if (running.empty()) {
            for (auto* joiner : joiners) {
                joiner->cancel();
            }
        }
        if (!error) {
            return;
        }
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& aborted) {
            if (aborted.code() == asio::error::operation_aborted) {
                return;
            }
            on_exception(error);
        } catch (...) {
            on_exception(error);
        }
    }
};

TaskGroup::TaskGroup(asio::any_io_executor executor,
                     std::function<void(std::exception_ptr)> on_exception)
    : state_(std::make_shared<State>(std::move(executor), std::move(on_exception))) {}

TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(Task<void> task) {
    if (state_->cancelled) {
        return;
    }
    const auto place = state_->running.emplace(state_->running.end());
    auto on_end = [state = state_, place](std::exception_ptr error) {
        state->ended(place, error);
    };
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(place->slot(), std::move(on_end)));
}

void TaskGroup::cancel() {
    state_->cancelled = true;
    // A cancelled task may end at once and take its signal out of the list: step on first.
    for (auto place = state_->running.begin(); place != state_->running.end();) {
        auto& signal = *place++;
        signal.emit(asio::cancellation_type::terminal);
    }
}

namespace {

/// A joiner's timer is in the list for as long as it waits, also when it is destroyed.
class Joining {
public:
    Joining(std::list<asio::steady_timer*>& joiners, asio::steady_timer& timer)
        : joiners_(joiners), place_(joiners.insert(joiners.end(), &timer)) {}
    ~Joining() { joiners_.erase(place_); }
    Joining(const Joining&) = delete;
    Joining& operator=(const Joining&) = delete;

private:
    std::list<asio::steady_timer*>& joiners_;
    std::list<asio::steady_timer*>::iterator place_;
};

}  // namespace

Task<bool> TaskGroup::join(Deadline deadline) {
    auto state = state_;
    asio::steady_timer emptied{state->executor, deadline.when()};
    const Joining joining{state->joiners, emptied};
    while (!state->running.empty() && !deadline.passed(std::chrono::steady_clock::now())) {
        boost::system::error_code ignored;
        co_await emptied.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    const bool all_ended = state->running.empty();
    co_return all_ended;
}

std::size_t TaskGroup::size() const {
    return state_->running.size();
}

Task<void> throw_if_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error{asio::error::operation_aborted};
    }
}

Task<void> sleep(Duration span) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer{executor, span};
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace smw::async
