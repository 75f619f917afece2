#include "app/signals.hpp"

#include <cerrno>
#include <chrono>
#include <ctime>

namespace smw::app {

Signals::Signals() {
    std::signal(SIGPIPE, SIG_IGN);
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

std::optional<int> Signals::wait_for(Duration span) const {
    using std::chrono::duration_cast;
    const auto end = std::chrono::steady_clock::now() + span;
    for (;;) {
        const auto left = duration_cast<std::chrono::nanoseconds>(
            std::max(Duration::zero(), end - std::chrono::steady_clock::now()));
        const timespec wait{static_cast<time_t>(left.count() / 1'000'000'000),
                            static_cast<long>(left.count() % 1'000'000'000)};
        const int signal = ::sigtimedwait(&set_, nullptr, &wait);
        if (signal > 0) {
            return signal;
        }
        if (errno != EINTR) {
            return std::nullopt;
        }
    }
}

int Signals::wait() const {
    int signal = 0;
    while (::sigwait(&set_, &signal) != 0) {
    }
    return signal;
}

std::string_view signal_name(int signal) {
    return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace smw::app
