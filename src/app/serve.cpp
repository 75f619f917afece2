#include "smw/app/serve.hpp"

#include "app/allowance.hpp"
#include "app/server.hpp"
#include "app/signals.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <unistd.h>

namespace smw::app {

namespace {

/// How soon a second signal is seen while connections drain.
constexpr std::chrono::milliseconds kLook{50};

/// A loop that does not turn any more cannot be ended in good order.
constexpr std::chrono::seconds kStuck{15};

/// Started with stderr closed (2>&-), its number would be the next socket's, and the log would go
/// into somebody's connection.
void occupy_standard_descriptors() {
    int opened = 0;
    while (opened >= 0 && opened <= STDERR_FILENO) {
        opened = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (opened > STDERR_FILENO) {
        ::close(opened);
    }
}

[[noreturn]] void exit_at_once() {
    std::_Exit(EXIT_FAILURE);
}

}  // namespace

int serve(const ServeSettings& settings, Systems systems) {
    const auto& enabled = settings.enable;
    std::erase_if(systems, [&enabled](const auto& system) {
        return std::find(enabled.begin(), enabled.end(), system->name()) == enabled.end();
    });
    occupy_standard_descriptors();
    give_memory_back();
    const Signals signals;
    Server server{settings, std::move(systems)};
    if (const auto started = server.start(); !started) {
        server.logger().error("Cannot start", {{"why", started.error().message}});
        server.stop(Deadline::after(Duration::zero()));
        return EXIT_FAILURE;
    }
    const int signal = signals.wait();
    server.logger().info("Stopping", {{"signal", signal_name(signal)}});
    server.announce_stop();
    if (signals.wait_for(settings.shutdown_delay)) {
        exit_at_once();
    }
    auto stopped = std::async(std::launch::async, [&server, &settings] {
        server.stop(Deadline::after(settings.drain_timeout));
    });
    const Deadline patience = Deadline::after(settings.drain_timeout + kStuck);
    while (stopped.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        if (signals.wait_for(kLook) || patience.passed(std::chrono::steady_clock::now())) {
            exit_at_once();
        }
    }
    stopped.get();
    return EXIT_SUCCESS;
}

}  // namespace smw::app
