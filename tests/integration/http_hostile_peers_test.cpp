// Peers that want the server to do much and to give others little: floods, crowds of slow ones,
// churn. A well-behaved caller beside them is served in time, and nothing of them stays.

#include "bystander.hpp"
#include "support/eventually.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace smw::test {
namespace {

using std::chrono::milliseconds;

void expect_unharmed(Bystander& bystander) {
    EXPECT_TRUE(bystander.goes_on());
    bystander.end();
    EXPECT_EQ(bystander.unanswered(), 0);
    EXPECT_LT(bystander.longest(), kGenerous);
}

void expect_nothing_left(HttpServer& server) {
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
    EXPECT_EQ(server.log().count("Defect"), 0U) << server.log().text();
}

TEST(HostilePeer, ThatTricklesABodyHasNoMoreTime) {
    auto limits = test_limits();
    limits.body = milliseconds{60};
    HttpServer server{{.limits = limits, .tls = false}};
    for (const char* framing :
         {"Content-Length: 100000000", "Content-Length: 7000000", "Transfer-Encoding: chunked"}) {
        Client client = server.connect();
        client.send(fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", framing));
        EXPECT_TRUE(eventually([&] {
            client.send(framing[0] == 'T' ? "1\r\nx\r\n" : "x");
            return client.ended_now();
        })) << framing;
    }
    expect_nothing_left(server);
}

/// Hardly any body, and never a pause in which the read could be ended.
TEST(HostilePeer, ThatSendsExtensionsOfChunksWithoutEndHasNoMoreTime) {
    auto limits = test_limits();
    limits.body = milliseconds{60};
    HttpServer server{{.limits = limits, .tls = false, .shards = 1}};
    Bystander bystander{server};
    Client client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string chunks;
    for (int count = 0; count < 100; ++count) {
        chunks += "1;" + std::string(8000, 'e') + "\r\nx\r\n";
    }
    EXPECT_TRUE(eventually([&] { return !client.send(chunks); }));
    expect_unharmed(bystander);
    expect_nothing_left(server);
}

/// Ten thousand requests, far more answers than socket buffers hold, and nobody who reads them.
TEST(HostilePeer, APipelineNobodyReadsIsNotServedAheadAndComesInOrder) {
    constexpr int kRequests = 10'000;
    HttpServer server{{.tls = false, .shards = 1}};
    auto settings = server.client_settings();
    settings.receive_buffer = 4096;
    Client flood{settings};
    Bystander bystander{server};
    const std::string body(4000, 'p');
    // Blocks when the server takes no more: from another thread.
    std::thread sender{[&] {
        for (int number = 0; number < kRequests; ++number) {
            flood.send(post(fmt::format("/echo?{}", number), body));
        }
    }};
    EXPECT_TRUE(eventually([&] { return server.service().served_of("9") == 1; }));
    EXPECT_TRUE(bystander.goes_on(500));
    EXPECT_EQ(server.service().served_of(std::to_string(kRequests - 1)), 0)
        << "40 MB of answers are somewhere";
    for (int number = 0; number < kRequests; ++number) {
        const auto answer = flood.read_answer();
        ASSERT_TRUE(answer) << number;
        ASSERT_EQ(answer->body, fmt::format("POST /echo?{}\n{}", number, body));
    }
    sender.join();
    expect_unharmed(bystander);
}

TEST(HostilePeer, ACrowdOfSlowOnesIsGoneInTimeAndOthersAreServed) {
    auto limits = test_limits();
    limits.handshake = limits.head = limits.body = limits.write = milliseconds{500};
    HttpServer server{{.limits = limits}};
    Bystander bystander{server};
    auto silent = server.client_settings();
    silent.handshake = false;
    auto greedy = server.client_settings();
    greedy.receive_buffer = 4096;
    std::vector<Client> crowd;
    for (int index = 0; index < 50; ++index) {
        crowd.emplace_back(silent);
        crowd.push_back(server.connect());
        crowd.back().send("POST /echo HTTP/1.1\r\nX: half a he");
        crowd.push_back(server.connect());
        crowd.back().send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\nb");
        if (index < 10) {
            crowd.emplace_back(greedy);
            crowd.back().send(get("/big"));
        }
    }
    EXPECT_TRUE(bystander.goes_on());
    for (std::size_t index = 0; index < crowd.size(); ++index) {
        EXPECT_NE(crowd[index].wait_for_end(), End::Open) << index;
    }
    expect_unharmed(bystander);
    expect_nothing_left(server);
}

/// Connections that come and go, each in another way.
TEST(HostilePeer, ChurnLeavesNothingBehind) {
    HttpServer server{};
    Bystander bystander{server};
    auto plain = server.client_settings();
    plain.handshake = false;
    for (int round = 0; round < 1200; ++round) {
        Client client{plain};
        ASSERT_TRUE(client.ready()) << round << ": " << client.failure();
        switch (round % 6) {
            case 0:  // FIN at once
                break;
            case 1:  // RST at once
                client.reset();
                break;
            case 2:  // RST within a handshake
                client.send_raw(std::string{"\x16\x03\x01\x02\x00\x01", 6});
                client.reset();
                break;
            case 3:  // a handshake, and RST
                EXPECT_TRUE(client.start_tls());
                client.reset();
                break;
            case 4:  // a request, and RST before its answer
                EXPECT_TRUE(client.start_tls());
                client.send(get("/big"));
                client.reset();
                break;
            default:  // half a body, and a close that says nothing
                EXPECT_TRUE(client.start_tls());
                client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nb");
        }
    }
    expect_unharmed(bystander);
    expect_nothing_left(server);
}

}  // namespace
}  // namespace smw::test
