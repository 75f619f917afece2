#pragma once
// SIGTERM and SIGINT as something that the main thread waits for.

#include "smw/base/clock.hpp"

#include <csignal>
#include <optional>
#include <string_view>

namespace smw::app {

/// Blocks both for the calling thread, and for those that it starts from now on; SIGPIPE is
/// ignored. Made on the main thread before any other is started.
class Signals {
public:
    Signals();

    /// The next signal, or nothing after `span`. Only the main thread waits.
    [[nodiscard]] std::optional<int> wait_for(Duration span) const;
    [[nodiscard]] int wait() const;

private:
    sigset_t set_{};
};

[[nodiscard]] std::string_view signal_name(int signal);

}  // namespace smw::app
