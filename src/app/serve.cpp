#include "smw/app/serve.hpp"

#include "app/server.hpp"
#include "app/signals.hpp"

#include <cstdlib>
#include <future>

namespace smw::app {

namespace {

/// How soon a second signal is seen while connections drain.
constexpr std::chrono::milliseconds kLook{50};

[[noreturn]] void exit_at_once() {
    std::_Exit(EXIT_FAILURE);
}

}  // namespace

int serve(const ServeSettings& settings, Systems systems) {
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
    while (stopped.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        if (signals.wait_for(kLook)) {
            exit_at_once();
        }
    }
    return EXIT_SUCCESS;
}

}  // namespace smw::app
