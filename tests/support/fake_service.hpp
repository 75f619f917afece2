#pragma once
// A Service that does what the path says. Thread-safe.
//   /echo    reads the body, answers "METHOD path?query\n" and the body
//   /slow    reads the body, then waits for open()
//   /throw   throws a std::runtime_error; /throw-odd something that is no std::exception;
//            /read-and-throw reads the body before
//   /unread  answers 413 without asking for the body; /ignore 200, likewise
//   /big     answers kBigBytes of text
//   /guarded 403 with the reason when the caller is refused, before the body is asked for; else as
//            /echo

#include "smw/async/latch.hpp"
#include "smw/http/service.hpp"

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace smw::test {

inline constexpr std::size_t kBigBytes = std::size_t{16} << 20;

class FakeService final : public http::Service {
public:
    Task<http::Response> serve(http::Exchange& exchange) override;

    /// Lets /slow answer.
    void open() { gate_.set(); }
    /// Requests on /slow that have their body, and have not been answered.
    [[nodiscard]] int waiting() const { return waiting_.load(); }
    [[nodiscard]] int served() const { return served_.load(); }
    /// Requests with this query that were answered.
    [[nodiscard]] int served_of(const std::string& query) const;
    /// The deadline that read_body is given, from now.
    void set_body_deadline(Duration span) { body_deadline_ = span; }

private:
    void note(const std::string& query);
    Task<http::Response> answer_slowly(http::Response response, std::string query);

    async::Latch gate_;
    std::atomic<int> waiting_{0};
    std::atomic<int> served_{0};
    mutable std::mutex mutex_;
    std::map<std::string, int> queries_;
    Duration body_deadline_ = std::chrono::hours{1};
};

/// The status that a failed read_body becomes, as webhook::Endpoint does it.
[[nodiscard]] http::Response to_response(const Error& error);

}  // namespace smw::test
