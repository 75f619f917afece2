// Claim: a Listener is announced to close and stopped from a thread of its own while many clients
// connect, ask, are evicted and go; whoever got an answer got a whole one.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace smw::test {
namespace {

struct Counts {
    std::atomic<int> answered{0};
    std::atomic<int> wrong{0};
};

/// Until the server is gone.
void ask_until_refused(const ClientSettings& settings, Counts& counts) {
    for (;;) {
        Client client{settings};
        if (!client.ready() && client.failure() == "Connection refused") {
            return;
        }
        for (int round = 0; round < 3; ++round) {
            if (!client.ready() || !client.send(post("/echo?q", "body"))) {
                break;
            }
            const auto answer = client.read_answer();
            if (!answer) {
                break;
            }
            counts.wrong += answer->body == "POST /echo?q\nbody" ? 0 : 1;
            ++counts.answered;
            if (answer->header("connection") == "close") {
                break;
            }
        }
    }
}

class ListenerThreads : public testing::TestWithParam<bool> {};

TEST_P(ListenerThreads, StopsUnderLoad) {
    for (int round = 0; round < 5; ++round) {
        auto limits = test_limits();
        limits.max_connections = 3;
        HttpServer server{{.limits = limits, .tls = GetParam(), .shards = 3}};
        Counts counts;
        std::vector<std::thread> clients;
        for (int index = 0; index < 6; ++index) {
            clients.emplace_back(
                [&, settings = server.client_settings()] { ask_until_refused(settings, counts); });
        }
        EXPECT_TRUE(eventually([&] { return counts.answered > 100; }));
        EXPECT_NE(server.metric("smw_connections{listener=\"webhook\"}"), "");
        server.listener().announce_close();
        const int before = counts.answered;
        EXPECT_TRUE(eventually([&] { return counts.answered > before + 50; }));
        EXPECT_TRUE(server.listener().stop(Deadline::after(kPatience)));
        for (auto& client : clients) {
            client.join();
        }
        EXPECT_EQ(counts.wrong, 0);
        EXPECT_EQ(server.listener().connections(), 0U);
        EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
        EXPECT_EQ(server.log().count(log::Level::Error), 0U) << server.log().text();
    }
}

TEST_P(ListenerThreads, AreCutUnderLoad) {
    for (int round = 0; round < 5; ++round) {
        HttpServer server{{.tls = GetParam()}};
        std::vector<Client> slow;
        for (int index = 0; index < 8; ++index) {
            slow.push_back(server.connect());
            slow.back().send(post("/slow", "body"));
        }
        EXPECT_TRUE(eventually([&] { return server.service().waiting() == 8; }));
        std::thread opener{[&] {
            server.service().open();
        }};
        server.listener().stop(Deadline::after(Duration::zero()));
        opener.join();
        EXPECT_EQ(server.listener().connections(), 0U);
        EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
        EXPECT_EQ(server.log().count(log::Level::Error), 0U) << server.log().text();
    }
}

INSTANTIATE_TEST_SUITE_P(Over, ListenerThreads, testing::Bool(),
                         [](const auto& given) { return given.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace smw::test
