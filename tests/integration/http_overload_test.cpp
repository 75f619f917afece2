// Limits that are reached: counted by kind, and said at most once a second of each kind.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <vector>

namespace smw::test {
namespace {

using std::chrono::milliseconds;

int reached(HttpServer& server, std::string_view limit) {
    const std::string value = server.metric(
        fmt::format("smw_limits_reached_total{{limit=\"{}\",listener=\"webhook\"}}", limit));
    return value.empty() ? -1 : std::stoi(value);
}

/// Its log lines.
std::size_t said(HttpServer& server, std::string_view limit) {
    return server.log().count(fmt::format("\"limit\": \"{}\"", limit));
}

class LimitsReached : public testing::Test {
protected:
    [[nodiscard]] std::size_t seconds() const {
        const auto passed = std::chrono::steady_clock::now() - start_;
        return static_cast<std::size_t>(
            std::chrono::duration_cast<std::chrono::seconds>(passed).count());
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(LimitsReached, ConnectionsAreCountedForEachWhoComesAndSaidOnceASecond) {
    auto limits = test_limits();
    limits.max_connections = 2;
    HttpServer server{{.limits = limits, .tls = false}};
    std::vector<Client> clients;
    for (int index = 0; index < 2; ++index) {
        clients.push_back(server.connect());
        ASSERT_TRUE(clients.back().send(get("/echo")));
        ASSERT_TRUE(clients.back().read_answer());
    }
    EXPECT_EQ(reached(server, "connections"), 0);
    for (int index = 0; index < 50; ++index) {
        clients.push_back(server.connect());
        ASSERT_TRUE(clients.back().ready());
    }
    EXPECT_TRUE(eventually([&] { return reached(server, "connections") == 50; }));
    EXPECT_GE(said(server, "connections"), 1U);
    EXPECT_LE(said(server, "connections"), 1 + seconds());
}

/// A flood of connections that say nothing cannot push a caller out while it shakes hands.
TEST(LeastIdle, WhoHasJustComeIsNotAskedToMakeRoom) {
    auto limits = test_limits();
    limits.max_connections = 1;
    limits.least_idle = milliseconds{300};
    HttpServer server{{.limits = limits}};
    const auto start = std::chrono::steady_clock::now();
    Client first = server.connect();
    ASSERT_TRUE(first.ready());
    Client next = server.connect();
    ASSERT_TRUE(next.send(get("/echo")));
    ASSERT_TRUE(next.read_answer());
    EXPECT_GE(std::chrono::steady_clock::now() - start, limits.least_idle);
    EXPECT_EQ(first.wait_for_end(), End::Orderly);
}

}  // namespace
}  // namespace smw::test
