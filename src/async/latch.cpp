#include "smw/async/latch.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>
#include <mutex>

namespace smw::async {

namespace asio = boost::asio;

using Timers = std::list<std::shared_ptr<asio::steady_timer>>;

/// The timers of those who wait; each is touched on its own executor only.
struct Latch::Waiters {
    std::mutex mutex;
    Timers timers;
};

namespace {

/// Takes a timer off the list also when the waiting coroutine is destroyed.
class Registration {
public:
    Registration(std::mutex& mutex, Timers& timers, Timers::iterator place)
        : mutex_(mutex), timers_(timers), place_(place) {}
    ~Registration() {
        const std::scoped_lock lock{mutex_};
        timers_.erase(place_);
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

private:
    std::mutex& mutex_;
    Timers& timers_;
    Timers::iterator place_;
};

}  // namespace

Latch::Latch() : waiters_(std::make_unique<Waiters>()) {}
Latch::~Latch() = default;

void Latch::set() {
    const std::scoped_lock lock{waiters_->mutex};
    set_.store(true, std::memory_order_release);
    for (const auto& timer : waiters_->timers) {
        asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    }
}

Task<bool> Latch::wait(Deadline deadline) {
    if (is_set()) {
        co_return true;
    }
    auto executor = co_await asio::this_coro::executor;
    auto timer = std::make_shared<asio::steady_timer>(executor, deadline.when());
    Timers::iterator place;
    {
        const std::scoped_lock lock{waiters_->mutex};
        place = waiters_->timers.insert(waiters_->timers.end(), timer);
    }
    const Registration registration{waiters_->mutex, waiters_->timers, place};
    if (is_set()) {
        co_return true;
    }
    // set() posts its cancel to this executor, so it cannot run before the wait has begun.
    boost::system::error_code ignored;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return is_set();
}

}  // namespace smw::async
