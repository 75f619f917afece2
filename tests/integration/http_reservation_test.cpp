// Bodies are reserved as they arrive: what is only announced is not, and who grows beyond what
// there is is refused at once.

#include "bystander.hpp"
#include "support/eventually.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

namespace smw::test {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = kKiB * kKiB;

http::Limits bytes_in_flight(std::size_t cap) {
    auto limits = test_limits();
    limits.max_bytes_in_flight = cap;
    return limits;
}

std::string announce(std::size_t length) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", length);
}

/// Whether the listener comes to hold exactly so much.
bool holds(HttpServer& server, std::size_t bytes) {
    return eventually([&] { return server.listener().bytes_in_flight() == bytes; });
}

unsigned status_of(Client& client) {
    const auto answer = client.read_answer();
    return answer ? answer->status : 0;
}

TEST(Reservation, WhatIsOnlyAnnouncedShutsNobodyOut) {
    HttpServer server{};
    Client seven = server.connect();
    Client one = server.connect();
    seven.send(announce(7 * kMiB));
    one.send(announce(kMiB));
    ASSERT_TRUE(holds(server, 32 * kKiB));
    Bystander bystander{server};
    EXPECT_TRUE(bystander.goes_on());
    Client large = server.connect();
    large.send(post("/echo", std::string(7 * kMiB, 'b')));
    EXPECT_EQ(status_of(large), 200U);
}

TEST(Reservation, GrowsByDoubling) {
    HttpServer server{};
    Client client = server.connect();
    const std::string body(100 * kKiB, 'b');
    client.send(announce(body.size()));
    EXPECT_TRUE(holds(server, 16 * kKiB));
    client.send(body.substr(0, 20 * kKiB));
    EXPECT_TRUE(holds(server, 32 * kKiB));
    client.send(body.substr(20 * kKiB, 70 * kKiB));
    EXPECT_TRUE(holds(server, 100 * kKiB));
    client.send(body.substr(90 * kKiB));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo?\n" + body);
    EXPECT_TRUE(holds(server, 0));
}

TEST(Reservation, AShortBodyIsReservedAtOnce) {
    HttpServer server{};
    Client client = server.connect();
    client.send(announce(16 * kKiB));
    EXPECT_TRUE(holds(server, 16 * kKiB));
    client.send(std::string(16 * kKiB - 1, 'b'));
    Client other = server.connect();
    other.send(get("/echo"));
    EXPECT_EQ(status_of(other), 200U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 16 * kKiB);
}

TEST(Reservation, BodiesOfEveryLengthArriveWhole) {
    HttpServer server{};
    Client client = server.connect();
    std::string text;
    for (std::size_t number = 0; text.size() < 200 * kKiB; ++number) {
        text += std::to_string(number);
    }
    for (const std::size_t step : {16 * kKiB, 32 * kKiB, 64 * kKiB, 128 * kKiB}) {
        for (const std::size_t length : {step - 1, step, step + 1, step + 5000}) {
            const std::string body = text.substr(0, length);
            // The next request comes right behind.
            client.send(post("/echo", body) + get("/echo?next"));
            const auto answer = client.read_answer();
            ASSERT_TRUE(answer) << length;
            EXPECT_TRUE(answer->body == "POST /echo?\n" + body) << length;
            ASSERT_TRUE(client.read_answer()) << length;
        }
    }
}

TEST(Reservation, OfTwoThatDoNotBothFitOneIsRefusedAndTheOtherGoesOn) {
    HttpServer server{{.limits = bytes_in_flight(3 * kMiB / 2)}};
    Client first = server.connect();
    Client second = server.connect();
    const std::string rest(kMiB - 300 * kKiB, 'b');
    first.send(announce(kMiB));
    second.send(announce(kMiB));
    ASSERT_TRUE(holds(server, 32 * kKiB));
    first.send(std::string(300 * kKiB, 'b'));
    second.send(std::string(300 * kKiB, 'b'));
    ASSERT_TRUE(holds(server, kMiB));
    first.send(rest);
    const auto refused = first.read_answer();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503U);
    EXPECT_EQ(refused->header("retry-after"), "1");
    EXPECT_EQ(refused->header("connection"), "close");
    second.send(rest);
    EXPECT_EQ(status_of(second), 200U);
    EXPECT_TRUE(holds(server, 0));
}

TEST(Reservation, ALongBodyThatDoesNotFitIsNotBegun) {
    HttpServer server{{.limits = bytes_in_flight(3 * kMiB / 2)}};
    Client first = server.connect();
    first.send(post("/slow", std::string(kMiB, 'b')));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    Client second = server.connect();
    second.send(
        fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n"
                    "Expect: 100-continue\r\n\r\n",
                    kMiB));
    EXPECT_EQ(status_of(second), 503U);
    EXPECT_EQ(second.continues(), 0);
    EXPECT_EQ(server.listener().bytes_in_flight(), kMiB);
}

}  // namespace
}  // namespace smw::test
