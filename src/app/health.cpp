#include "app/health.hpp"

#include "smw/async/sleep.hpp"
#include "smw/http/router.hpp"
#include "smw/kube/meta.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace smw::app {

namespace {

constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::seconds kDead{10};

std::int64_t steady_seconds() {
    using std::chrono::duration_cast;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return duration_cast<std::chrono::seconds>(now).count();
}

bool reads(const http::RequestHead& head) {
    return head.method == "GET" || head.method == "HEAD";
}

http::Response only_get() {
    kube::Status status;
    status.code = 405;
    status.reason = "MethodNotAllowed";
    status.message = "probes and metrics are read with GET or HEAD";
    http::Response response;
    response.status = 405;
    response.headers.emplace_back("Allow", "GET, HEAD");
    response.body = kube::to_json(status);
    return response;
}

}  // namespace

Task<http::Response> CheckService::serve(http::Exchange& exchange) {
    if (!reads(exchange.head())) {
        co_return only_get();
    }
    const bool verbose = exchange.head().query.find("verbose") != std::string_view::npos;
    std::string all;
    std::string failed;
    for (const auto& check : checks_) {
        const auto problem = check.problem();
        if (!problem) {
            all += fmt::format("[+]{} ok\n", check.name);
            continue;
        }
        const auto line =
            fmt::format("[{}]{}: {}\n", check.required ? '-' : '!', check.name, *problem);
        all += line;
        failed += check.required ? line : "";
    }
    const bool passed = failed.empty();
    const auto sum = fmt::format("{} check {}\n", name_, passed ? "passed" : "failed");
    if (verbose) {
        co_return http::text_response(passed ? 200 : 503, all + sum);
    }
    co_return http::text_response(passed ? 200 : 503, passed ? "ok\n" : failed + sum);
}

Task<http::Response> MetricsService::serve(http::Exchange& exchange) {
    if (!reads(exchange.head())) {
        co_return only_get();
    }
    auto response = http::text_response(200, registry_.expose());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    co_return response;
}

Heartbeat::Heartbeat(std::vector<async::Shard*> loops) {
    for (async::Shard* shard : loops) {
        loops_.push_back({shard, std::make_shared<std::atomic<std::int64_t>>(steady_seconds())});
    }
}

Task<void> Heartbeat::run() {
    for (;;) {
        for (const auto& loop : loops_) {
            boost::asio::post(loop.shard->executor(), [beat = loop.last_beat] {
                beat->store(steady_seconds(), std::memory_order_relaxed);
            });
        }
        co_await async::sleep(kBeat);
    }
}

std::optional<std::string> Heartbeat::problem() const {
    std::string late;
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        const auto silent = steady_seconds() - loops_[index].last_beat->load();
        if (silent > kDead.count()) {
            late += fmt::format("{}event loop {} has not answered for {} s",
                                late.empty() ? "" : ", ", index, silent);
        }
    }
    return late.empty() ? std::nullopt : std::optional{late};
}

}  // namespace smw::app
