#include "smw/async/forever.hpp"

#include "smw/async/sleep.hpp"

#include <chrono>
#include <utility>

namespace smw::async {
namespace {

/// Whatever throws again at once does not keep the thread from its other work.
constexpr Duration kAfterException = std::chrono::milliseconds{100};

}  // namespace

Task<void> forever(std::function<Task<void>()> round,
                   std::function<void(const std::exception_ptr&)> threw) {
    std::exception_ptr thrown;
    for (;;) {
        try {
            if (thrown) {
                co_await sleep(kAfterException);
                threw(std::exchange(thrown, nullptr));
            }
            co_await round();
        } catch (...) {
            thrown = std::current_exception();
        }
        if (thrown) {
            co_await throw_if_cancelled();
        }
    }
}

}  // namespace smw::async
