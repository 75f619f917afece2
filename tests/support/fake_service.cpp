#include "support/fake_service.hpp"

#include "http/answer.hpp"
#include "support/eventually.hpp"

#include <stdexcept>
#include <utility>

namespace smw::test {

namespace {

unsigned to_status(Code code) {
    switch (code) {
        case Code::BadRequest:
            return 400;
        case Code::TooLarge:
            return 413;
        case Code::Unavailable:
            return 503;
        case Code::DeadlineExceeded:
            return 408;
        case Code::NotFound:
        case Code::Conflict:
        case Code::Gone:
        case Code::Unauthorized:
        case Code::Forbidden:
        case Code::UnsupportedMediaType:
        case Code::Cancelled:
        case Code::Internal:
            return 500;
    }
    return 500;
}

}  // namespace

http::Response to_response(const Error& error) {
    auto response = http::status_response(to_status(error.code), error.message);
    if (error.code == Code::Unavailable) {
        response.headers.emplace_back("Retry-After", "1");
    }
    return response;
}

Task<http::Response> FakeService::serve(http::Exchange& exchange) {
    const http::RequestHead head = exchange.head();
    http::Response response;
    response.content_type = "text/plain";
    if (head.path == "/throw") {
        throw std::runtime_error{"a defect made for a test"};
    }
    if (head.path == "/throw-odd") {
        throw 42;
    }
    if (head.path == "/unread" || head.path == "/ignore") {
        response.status = head.path == "/unread" ? 413 : 200;
        co_return response;
    }
    if (head.path == "/big") {
        response.body.assign(kBigBytes, 'x');
        co_return response;
    }
    if (head.path == "/guarded" && !head.caller_refused.empty()) {
        response.status = 403;
        response.body = head.caller_refused;
        co_return response;
    }
    auto body = co_await exchange.read_body(Deadline::after(body_deadline_));
    if (!body) {
        co_return to_response(body.error());
    }
    if (head.path == "/read-and-throw") {
        throw std::runtime_error{"a defect made for a test"};
    }
    response.body = std::string{head.method} + " " + std::string{head.path} + "?" +
                    std::string{head.query} + "\n" + *body;
    exchange.recycle(std::move(*body));
    std::string query{head.query};
    if (head.path == "/slow") {
        co_return co_await answer_slowly(std::move(response), std::move(query));
    }
    note(query);
    co_return response;
}

void FakeService::note(const std::string& query) {
    ++served_;
    const std::scoped_lock lock{mutex_};
    ++queries_[query];
}

int FakeService::served_of(const std::string& query) const {
    const std::scoped_lock lock{mutex_};
    const auto found = queries_.find(query);
    return found == queries_.end() ? 0 : found->second;
}

Task<http::Response> FakeService::answer_slowly(http::Response response, std::string query) {
    struct Counted {
        explicit Counted(std::atomic<int>& counter) : count(counter) { ++count; }
        ~Counted() { --count; }
        Counted(const Counted&) = delete;
        Counted& operator=(const Counted&) = delete;
        std::atomic<int>& count;
    };
    const Counted counted{waiting_};
    co_await gate_.wait(Deadline::after(kPatience));
    note(query);
    co_return response;
}

}  // namespace smw::test
