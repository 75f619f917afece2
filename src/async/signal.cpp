#include "smw/async/signal.hpp"

#include "smw/async/sleep.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace smw::async {

namespace asio = boost::asio;

namespace {

/// Empties the function also when the waiting coroutine is destroyed.
class Waiting {
public:
    explicit Waiting(std::function<void()>& wake) : wake_(wake) {}
    ~Waiting() { wake_ = nullptr; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

private:
    std::function<void()>& wake_;
};

}  // namespace

void Signal::raise() {
    raised_ = true;
    if (wake_) {
        wake_();
    }
}

Task<bool> Signal::wait(Deadline deadline) {
    if (!raised_) {
        auto executor = co_await asio::this_coro::executor;
        asio::steady_timer timer{executor, deadline.when()};
        wake_ = [&timer] {
            timer.cancel();
        };
        const Waiting waiting{wake_};
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await throw_if_cancelled();
    co_return std::exchange(raised_, false);
}

}  // namespace smw::async
