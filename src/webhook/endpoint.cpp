#include "smw/webhook/endpoint.hpp"

#include "smw/async/sleep.hpp"
#include "smw/base/thrown.hpp"
#include "smw/json/document.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace smw::webhook {

namespace {

using admission::Operation;

constexpr std::array kOperationOrder{Operation::Create, Operation::Update, Operation::Delete,
                                     Operation::Connect, Operation::Unknown};
/// In the order of Outcome.
constexpr std::array<std::string_view, 7> kOutcomeNames{"allowed", "mutated", "denied",     "error",
                                                        "shed",    "timeout", "bad_request"};
constexpr std::array kDurationBuckets{.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                      .05,   .1,     .25,   .5,   1.,    2.5,  5.,  10.};

/// The media type without its parameters, and without blanks around it.
std::string_view media_type(std::string_view content_type) {
    auto type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) {
        type.remove_suffix(1);
    }
    return type;
}

bool iequals(std::string_view left, std::string_view right) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

http::Response status_response(kube::Status status) {
    http::Response response;
    response.status = static_cast<unsigned>(status.code);
    response.body = kube::to_json(status);
    return response;
}

http::Response status_response(int code, std::string reason, std::string message) {
    kube::Status status;
    status.code = code;
    status.reason = std::move(reason);
    status.message = std::move(message);
    return status_response(std::move(status));
}

/// The refusal of a head that cannot lead to a review, if it is one.
std::optional<http::Response> refuse_head(const http::RequestHead& head) {
    if (!head.caller_refused.empty()) {
        return status_response(403, "Forbidden", std::string{head.caller_refused});
    }
    if (head.method != "POST") {
        auto response = status_response(405, "MethodNotAllowed", "reviews are asked for with POST");
        response.headers.emplace_back("Allow", "POST");
        return response;
    }
    if (!head.content_type.empty() && !iequals(media_type(head.content_type), "application/json")) {
        return status_response(415, "UnsupportedMediaType",
                               "the Content-Type of a review is application/json");
    }
    if (!head.content_encoding.empty() && !iequals(head.content_encoding, "identity")) {
        return status_response(415, "UnsupportedMediaType",
                               "a Content-Encoding other than identity is not supported");
    }
    return std::nullopt;
}

}  // namespace

Endpoint::Endpoint(admission::Handler& handler, EndpointSettings settings, InFlight& in_flight,
                   log::Logger logger, metrics::Registry& metrics)
    : handler_(handler),
      settings_(settings),
      in_flight_(in_flight),
      logger_(std::move(logger)),
      duration_(metrics
                    .histogram({"smw_admission_duration_seconds",
                                "From the end of a request's head to its answer.",
                                {"webhook"}},
                               kDurationBuckets)
                    .with({handler.name()})) {
    const auto requests = metrics.counter({"smw_admission_requests_total",
                                           "Requests to a webhook's path, by what became of them.",
                                           {"webhook", "operation", "outcome"}});
    for (const auto operation : kOperationOrder) {
        for (const auto outcome : kOutcomeNames) {
            requests_.push_back(
                requests.with({handler.name(), admission::to_string(operation), outcome}));
        }
    }
    const auto decisions = metrics.counter({"smw_admission_decisions_total",
                                            "Decisions about reviews, by reason.",
                                            {"webhook", "reason"}});
    for (const auto reason : handler.reasons()) {
        decisions_.push_back(decisions.with({handler.name(), reason}));
    }
}

Task<http::Response> Endpoint::serve(http::Exchange& exchange) {
    const TimePoint received = exchange.head().received;
    Answer given = co_await answer(exchange);
    count(given, received);
    co_return std::move(given.response);
}

Task<Endpoint::Answer> Endpoint::answer(http::Exchange& exchange) {
    if (auto refused = refuse_head(exchange.head())) {
        co_return Answer{std::move(*refused), Outcome::BadRequest, Operation::Unknown};
    }
    const Deadline deadline = deadline_of(exchange.head());
    Expected<std::string> body = co_await exchange.read_body(deadline);
    if (!body) {
        co_return refuse_body(body.error());
    }
    const InFlight::Place place{in_flight_};
    if (!place) {
        co_return shed("too many reviews in flight (--max-in-flight); call again", reviews_line_);
    }
    Answer given = co_await review(*body, deadline);
    exchange.recycle(std::move(*body));
    co_return given;
}

/// Hands the body's memory back in `body`.
Task<Endpoint::Answer> Endpoint::review(std::string& body, Deadline deadline) {
    auto document = json::Document::parse(std::move(body));
    if (!document) {
        Error error = document.error();
        error.message = "the body " + error.message;
        co_return refuse_body(error);
    }
    auto request = admission::decode_review(document->root());
    if (!request) {
        co_return refuse_body(request.error());
    }
    Answer given = co_await decide(*request, deadline);
    body = std::move(*document).release_text();
    co_return given;
}

Task<Endpoint::Answer> Endpoint::decide(const admission::Request& request, Deadline deadline) {
    std::exception_ptr thrown;
    try {
        const auto decision = co_await handler_.handle(request, deadline);
        if (decision) {
            co_return answer_decision(request, *decision);
        }
        Answer failed;
        failed.response = status_response(kube::status_of(decision.error()));
        failed.operation = request.operation;
        const auto code = decision.error().code;
        failed.outcome = failed.response.status < 500     ? Outcome::BadRequest
                         : code == Code::DeadlineExceeded ? Outcome::Timeout
                                                          : Outcome::Error;
        logger_.debug("Review refused", {{"why", decision.error().message}, {"uid", request.uid}});
        co_return failed;
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await async::throw_if_cancelled();  // cut by a stop: no defect, and nobody to answer
    const std::string what = describe_thrown(thrown);
    logger_.error("Defect while deciding about a review", {{"what", what}, {"uid", request.uid}});
    Answer failed;
    failed.response =
        status_response(500, "InternalError", "a defect in this webhook; its log says more");
    failed.operation = request.operation;
    co_return failed;
}

Endpoint::Answer Endpoint::answer_decision(const admission::Request& request,
                                           const admission::Response& decision) const {
    decisions_.at(decision.reason).increment();
    Answer given;
    given.operation = request.operation;
    if (decision.undecided != admission::Undecided::No) {
        given.outcome =
            decision.undecided == admission::Undecided::Timeout ? Outcome::Timeout : Outcome::Error;
        if (settings_.fail_undecided) {
            given.response = status_response(503, "ServiceUnavailable",
                                             fmt::format("undecided: {} (--on-error=fail)",
                                                         handler_.reasons()[decision.reason]));
            return given;
        }
    } else {
        given.outcome = !decision.allowed ? Outcome::Denied
                        : decision.patch  ? Outcome::Mutated
                                          : Outcome::Allowed;
    }
    given.response.body = admission::encode_review(request, decision);
    return given;
}

/// The API server waits and calls again inside its own deadline (seen on 1.36).
Endpoint::Answer Endpoint::shed(std::string_view why, OnceASecond& line) {
    if (line.pass()) {
        logger_.warn("Reviews are shed", {{"why", why}});
    }
    kube::Status status;
    status.code = 503;
    status.reason = "ServiceUnavailable";
    status.message = why;
    status.retry_after_seconds = 1;
    Answer given;
    given.response = status_response(std::move(status));
    given.response.headers.emplace_back("Retry-After", "1");
    given.outcome = Outcome::Shed;
    return given;
}

/// What became of a body that is not there, or is no review.
Endpoint::Answer Endpoint::refuse_body(const Error& error) {
    if (error.code == Code::Unavailable) {
        return shed(error.message, bytes_line_);
    }
    logger_.debug("Request refused", {{"why", error.message}});
    Answer given;
    given.outcome = Outcome::BadRequest;
    // 408 is of HTTP: metav1 knows only the server's own timeout, 504.
    given.response = error.code == Code::DeadlineExceeded
                         ? status_response(408, "Timeout", error.message)
                         : status_response(kube::status_of(error));
    return given;
}

void Endpoint::count(const Answer& answer, TimePoint received) const {
    const auto operation =
        std::find(kOperationOrder.begin(), kOperationOrder.end(), answer.operation) -
        kOperationOrder.begin();
    const auto index =
        static_cast<std::size_t>(operation) * kOutcomes + static_cast<std::size_t>(answer.outcome);
    requests_[index].increment();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - received;
    duration_.observe(took.count());
}

}  // namespace smw::webhook
