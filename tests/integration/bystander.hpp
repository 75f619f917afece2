#pragma once
// A well-behaved caller beside a hostile one: asks all the time, each request on the connection
// that it keeps or on a new one in turn, and notes how long the longest took.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

namespace smw::test {

/// Ten times what a request may take on a machine that is busy with other things.
inline constexpr std::chrono::seconds kGenerous{5};

class Bystander {
public:
    explicit Bystander(HttpServer& server)
        : server_(server), kept_(server.connect()), thread_([this] { run(); }) {}
    ~Bystander() { end(); }
    Bystander(const Bystander&) = delete;
    Bystander& operator=(const Bystander&) = delete;

    [[nodiscard]] int answered() const { return answered_.load(); }
    /// Another so many were answered, or one was not.
    [[nodiscard]] bool goes_on(int count = 20) const {
        const int from = answered();
        return eventually([&] { return unanswered_.load() > 0 || answered() >= from + count; }) &&
               unanswered_.load() == 0;
    }
    void end() {
        stop_.store(true);
        if (thread_.joinable()) {
            thread_.join();
        }
        kept_.reset();
    }
    /// After the end.
    [[nodiscard]] int unanswered() const { return unanswered_.load(); }
    [[nodiscard]] Duration longest() const { return longest_; }

private:
    void run() {
        while (!stop_.load()) {
            const auto start = std::chrono::steady_clock::now();
            const bool on_kept = ask(*kept_);
            Client fresh = server_.connect();
            const bool on_fresh = fresh.ready() && ask(fresh);
            longest_ = std::max(longest_, std::chrono::steady_clock::now() - start);
            answered_ += (on_kept ? 1 : 0) + (on_fresh ? 1 : 0);
            unanswered_ += (on_kept ? 0 : 1) + (on_fresh ? 0 : 1);
        }
    }
    static bool ask(Client& client) {
        if (!client.send(post("/echo", "a review"))) {
            return false;
        }
        const auto answer = client.read_answer();
        return answer && answer->status == 200;
    }

    HttpServer& server_;
    std::optional<Client> kept_;
    std::atomic<bool> stop_{false};
    std::atomic<int> answered_{0};
    std::atomic<int> unanswered_{0};
    Duration longest_{};
    std::thread thread_;
};

}  // namespace smw::test
