#pragma once
// The way of a review: from a request's head to the answer's bytes. One Endpoint a route.

#include "smw/admission/handler.hpp"
#include "smw/base/log.hpp"
#include "smw/base/once_a_second.hpp"
#include "smw/http/service.hpp"
#include "smw/metrics/registry.hpp"

#include <atomic>
#include <cstddef>
#include <string_view>
#include <vector>

namespace smw::webhook {

/// When a review must be answered: the caller's `?timeout=` (a Go duration) minus max(500 ms, 10 %)
/// – half of it below a second –, at most 30 s; 10 s without a readable one. From the end of the
/// head.
[[nodiscard]] Deadline deadline_of(const http::RequestHead& head);

/// Reviews being decided, over all endpoints, against --max-in-flight. Thread-safe.
class InFlight {
public:
    explicit InFlight(std::size_t cap) : cap_(cap) {}

    /// A review's place, given back however the review ends. False: all were taken.
    class Place {
    public:
        explicit Place(InFlight& all) : all_(all), taken_(all.enter()) {}
        ~Place() {
            if (taken_) {
                all_.leave();
            }
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        explicit operator bool() const { return taken_; }

    private:
        InFlight& all_;
        const bool taken_;
    };

    [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] bool enter() {
        if (count_.fetch_add(1, std::memory_order_relaxed) < cap_) {
            return true;
        }
        leave();
        return false;
    }
    void leave() { count_.fetch_sub(1, std::memory_order_relaxed); }

    const std::size_t cap_;
    std::atomic<std::size_t> count_{0};
};

struct EndpointSettings {
    /// --on-error=fail: what could not be decided is 503, so that failurePolicy decides.
    bool fail_undecided = false;
};

/// Checks the head, reads the body within the deadline, decodes, runs the Handler, encodes, counts.
/// Called on many shards at once. The references outlive it.
class Endpoint final : public http::Service {
public:
    Endpoint(admission::Handler& handler, EndpointSettings settings, InFlight& in_flight,
             log::Logger logger, metrics::Registry& metrics);

    Task<http::Response> serve(http::Exchange& exchange) override;

private:
    enum class Outcome { Allowed, Mutated, Denied, Error, Shed, Timeout, BadRequest };
    static constexpr std::size_t kOutcomes = 7;

    /// An answer, and what it counts as.
    struct Answer {
        http::Response response;
        Outcome outcome = Outcome::Error;
        admission::Operation operation = admission::Operation::Unknown;
    };

    Task<Answer> answer(http::Exchange& exchange);
    Task<Answer> review(std::string& body, Deadline deadline);
    Task<Answer> decide(const admission::Request& request, Deadline deadline);
    [[nodiscard]] Answer answer_decision(const admission::Request& request,
                                         const admission::Response& decision) const;
    /// `line`: the log's, of that kind.
    [[nodiscard]] Answer shed(std::string_view why, OnceASecond& line);
    [[nodiscard]] Answer refuse_body(const Error& error);
    void count(const Answer& answer, TimePoint received) const;

    admission::Handler& handler_;
    EndpointSettings settings_;
    InFlight& in_flight_;
    log::Logger logger_;
    std::vector<metrics::Counter> requests_;   ///< by operation, then outcome
    std::vector<metrics::Counter> decisions_;  ///< by reason
    metrics::Histogram duration_;
    OnceASecond reviews_line_;
    OnceASecond bytes_line_;
};

}  // namespace smw::webhook
