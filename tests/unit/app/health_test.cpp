#include "app/health.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace smw::app {
namespace {

class HeadOnly final : public http::Exchange {
public:
    explicit HeadOnly(std::string_view method, std::string_view query = {}) {
        head_.method = method;
        head_.query = query;
    }
    [[nodiscard]] const http::RequestHead& head() const override { return head_; }
    Task<Expected<std::string>> read_body(Deadline) override { co_return std::string{}; }
    void recycle(std::string) override {}

private:
    http::RequestHead head_;
};

http::Response ask(http::Service& service, std::string_view method = "GET",
                   std::string_view query = {}) {
    HeadOnly exchange{method, query};
    boost::asio::io_context context;
    auto answer = boost::asio::co_spawn(context, service.serve(exchange), boost::asio::use_future);
    context.run();
    return answer.get();
}

Check passes(std::string name) {
    return {std::move(name), [] {
                return std::nullopt;
            }};
}
Check fails(std::string name, std::string why, bool required = true) {
    return {std::move(name), [why] { return std::optional{why}; }, required};
}

TEST(CheckService, IsOkWhenAllChecksPass) {
    CheckService service{"readyz", {passes("a"), passes("b")}};
    const auto answer = ask(service);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "ok\n");
}

TEST(CheckService, NamesWhatFails) {
    CheckService service{"readyz", {passes("a"), fails("b", "not bound yet")}};
    const auto answer = ask(service);
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(answer.body, "[-]b: not bound yet\nreadyz check failed\n");
}

TEST(CheckService, TellsEverythingWhenVerbose) {
    CheckService service{"readyz", {passes("a"), fails("m", "x.yaml:3: broken", false)}};
    const auto answer = ask(service, "GET", "verbose");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "[+]a ok\n[!]m: x.yaml:3: broken\nreadyz check passed\n");
}

TEST(CheckService, WhatIsOnlyToldIsNoReasonToFail) {
    CheckService service{"readyz", {fails("m", "broken", false)}};
    EXPECT_EQ(ask(service).status, 200U);
}

TEST(CheckService, TakesOnlyGetAndHead) {
    CheckService service{"livez", {passes("a")}};
    EXPECT_EQ(ask(service, "HEAD").status, 200U);
    const auto refused = ask(service, "POST");
    EXPECT_EQ(refused.status, 405U);
    EXPECT_EQ(refused.content_type, "application/json");
    EXPECT_NE(refused.body.find(R"("kind":"Status")"), std::string::npos);
}

TEST(MetricsService, ExposesTheRegistry) {
    metrics::Registry registry;
    registry.counter({"smw_test_total", "Help.", {}}).with({}).increment();
    MetricsService service{registry};
    const auto answer = ask(service);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_NE(answer.body.find("smw_test_total 1"), std::string::npos);
    EXPECT_EQ(answer.content_type.rfind("text/plain; version=0.0.4", 0), 0U);
}

TEST(Heartbeat, IsContentWhileNoLoopIsLate) {
    async::Shard loop{"loop"};
    const Heartbeat heartbeat{{&loop}};
    EXPECT_EQ(heartbeat.problem(), std::nullopt);
}

}  // namespace
}  // namespace smw::app
