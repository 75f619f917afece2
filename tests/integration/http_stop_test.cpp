// Binding, announcing the end, and stopping.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>
#include <thread>

namespace smw::test {
namespace {

std::future<bool> stop_in_background(HttpServer& server, Deadline deadline) {
    return std::async(std::launch::async,
                      [&server, deadline] { return server.listener().stop(deadline); });
}

TEST(Bind, AnAddressInUseIsNamed) {
    HttpServer server{};
    http::ListenerSettings settings;
    settings.name = "probes";
    settings.address = "127.0.0.1";
    settings.port = server.listener().port();
    metrics::Registry metrics;
    http::Listener listener{
        settings, {&server.shards().at(0)}, server.service(), server.log().logger(), metrics};
    const auto bound = listener.bind();
    ASSERT_FALSE(bound);
    EXPECT_EQ(
        bound.error().message,
        fmt::format("listening for probes on 127.0.0.1:{}: Address already in use", settings.port));
}

TEST(Bind, AnAddressThatIsNoneIsNamed) {
    struct Case {
        const char* address;
        const char* printed;
    };
    HttpServer server{};
    for (const auto& given :
         {Case{"localhost", "localhost:9443"}, Case{"1.2.3", "1.2.3:9443"},
          Case{"192.0.2.1", "192.0.2.1:9443"}, Case{"2001:db8::1", "[2001:db8::1]:9443"}}) {
        http::ListenerSettings settings;
        settings.name = "webhook";
        settings.address = given.address;
        settings.port = 9443;
        metrics::Registry metrics;
        http::Listener listener{
            settings, {&server.shards().at(0)}, server.service(), server.log().logger(), metrics};
        const auto bound = listener.bind();
        ASSERT_FALSE(bound) << given.address;
        EXPECT_THAT(bound.error().message, testing::HasSubstr(given.printed));
    }
}

TEST(Bind, AllInterfacesAreDualStack) {
    HttpServer server{{.address = "", .tls = false}};
    auto settings = server.client_settings();
    for (const char* address : {"127.0.0.1", "::1"}) {
        settings.address = address;
        Client client{settings};
        if (!client.ready() && settings.address == "::1") {
            GTEST_SKIP() << "this machine has no IPv6";
        }
        ASSERT_TRUE(client.ready()) << address << ": " << client.failure();
        client.send(get("/echo"));
        EXPECT_TRUE(client.read_answer()) << address;
    }
}

TEST(Bind, TheAddressIsPrintedAsItIsWritten) {
    HttpServer server{};
    EXPECT_EQ(server.listener().address(), fmt::format("127.0.0.1:{}", server.listener().port()));
}

TEST(AnnounceClose, EachAnswerSaysSoAndNewConnectionsAreServed) {
    HttpServer server{};
    Client idle = server.connect();
    idle.send(get("/echo"));
    ASSERT_TRUE(idle.read_answer());
    server.listener().announce_close();
    idle.send(get("/echo"));
    const auto answer = idle.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(idle.wait_for_end(), End::Orderly);
    Client next = server.connect();
    next.send(get("/echo"));
    const auto last = next.read_answer();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->header("connection"), "close");
}

TEST(Stop, ClosesIdleOnesAtOnceAndAnswersBusyOnes) {
    HttpServer server{};
    Client idle = server.connect();
    idle.send(get("/echo"));
    ASSERT_TRUE(idle.read_answer());
    auto settings = server.client_settings();
    settings.handshake = false;
    Client silent{settings};
    Client busy = server.connect();
    busy.send(post("/slow", "body") + get("/echo?pipelined"));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    ASSERT_TRUE(eventually([&] { return server.listener().connections() == 3; }));

    auto stopped = stop_in_background(server, Deadline::after(kPatience));
    EXPECT_EQ(idle.wait_for_end(), End::Orderly);
    EXPECT_NE(silent.wait_for_end(), End::Open);
    EXPECT_NE(stopped.wait_for(std::chrono::seconds{0}), std::future_status::ready);
    server.service().open();
    const auto answer = busy.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(busy.wait_for_end(), End::Orderly);
    EXPECT_TRUE(stopped.get());
    EXPECT_EQ(server.listener().connections(), 0U);
    EXPECT_EQ(server.service().served_of("pipelined"), 0);
    EXPECT_FALSE(Client{settings}.ready()) << "nobody listens any more";
}

TEST(Stop, ServesWhoHasJustCome) {
    auto limits = test_limits();
    limits.newcomer = kPatience;
    HttpServer server{{.limits = limits}};
    Client ready = server.connect();
    auto settings = server.client_settings();
    settings.handshake = false;
    Client silent{settings};
    ASSERT_TRUE(eventually([&] { return server.listener().connections() == 2; }));

    auto stopped = stop_in_background(server, Deadline::after(2 * kPatience));
    ASSERT_TRUE(eventually([&] { return !Client{settings}.ready(); }));
    ASSERT_TRUE(silent.start_tls()) << silent.failure();
    for (Client* newcomer : {&ready, &silent}) {
        newcomer->send(get("/echo"));
        const auto answer = newcomer->read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->header("connection"), "close");
        EXPECT_EQ(newcomer->wait_for_end(), End::Orderly);
    }
    EXPECT_TRUE(stopped.get());
}

TEST(Stop, ServesWhoHasConnectedAndIsNotAcceptedYet) {
    auto limits = test_limits();
    limits.newcomer = kPatience;
    HttpServer server{{.limits = limits}};
    std::promise<void> held;
    std::promise<void> go_on;
    boost::asio::post(server.shards().at(0).executor(), [&] {
        held.set_value();
        go_on.get_future().wait();
    });
    held.get_future().wait();
    auto settings = server.client_settings();
    settings.handshake = false;
    Client first{settings};
    Client second{settings};
    auto stopped = stop_in_background(server, Deadline::after(2 * kPatience));
    go_on.set_value();
    for (Client* client : {&first, &second}) {
        ASSERT_TRUE(client->start_tls()) << client->failure();
        client->send(get("/echo"));
        EXPECT_TRUE(client->read_answer());
    }
    EXPECT_TRUE(stopped.get());
}

TEST(Stop, NewcomersThatSayNothingAreNotWaitedFor) {
    auto limits = test_limits();
    limits.newcomer = std::chrono::milliseconds{20};
    HttpServer server{{.limits = limits}};
    Client ready = server.connect();
    auto settings = server.client_settings();
    settings.handshake = false;
    Client silent{settings};
    ASSERT_TRUE(eventually([&] { return server.listener().connections() == 2; }));
    EXPECT_TRUE(server.listener().stop(Deadline::after(kPatience)));
    EXPECT_NE(ready.wait_for_end(), End::Open);
    EXPECT_NE(silent.wait_for_end(), End::Open);
}

TEST(Stop, WaitsForABodyThatIsStillArriving) {
    HttpServer server{};
    Client busy = server.connect();
    busy.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    ASSERT_TRUE(eventually([&] { return server.listener().bytes_in_flight() == 4; }));
    auto stopped = stop_in_background(server, Deadline::after(kPatience));
    ASSERT_TRUE(eventually([&] { return !Client{server.client_settings()}.ready(); }));
    busy.send("dy");
    const auto answer = busy.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /echo?\nbody");
    EXPECT_TRUE(stopped.get());
}

TEST(Stop, CutsWhatIsNotDoneAtTheDeadline) {
    HttpServer server{};
    Client busy = server.connect();
    busy.send(get("/slow"));
    Client half = server.connect();
    half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    ASSERT_TRUE(eventually([&] {
        return server.service().waiting() == 1 && server.listener().bytes_in_flight() == 4;
    }));
    EXPECT_FALSE(server.listener().stop(Deadline::after(std::chrono::milliseconds{50})));
    EXPECT_NE(busy.wait_for_end(), End::Open);
    EXPECT_FALSE(half.read_answer());
    EXPECT_EQ(server.listener().connections(), 0U);
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
    EXPECT_EQ(server.service().waiting(), 0);
    EXPECT_EQ(server.log().count("Defect"), 0U) << server.log().text();
}

TEST(Stop, WithoutConnectionsIsImmediateAndMayBeRepeated) {
    HttpServer server{};
    EXPECT_TRUE(server.listener().stop(Deadline::after(kPatience)));
    EXPECT_TRUE(server.listener().stop(Deadline::after(kPatience)));
}

TEST(Stop, EndsAnAcceptLoopThatWaitsForRoom) {
    auto limits = test_limits();
    limits.max_connections = 1;
    HttpServer server{{.limits = limits}};
    Client busy = server.connect();
    busy.send(get("/slow"));
    ASSERT_TRUE(eventually([&] { return server.service().waiting() == 1; }));
    auto settings = server.client_settings();
    settings.handshake = false;
    const Client waiting{settings};
    auto stopped = stop_in_background(server, Deadline::after(kPatience));
    server.service().open();
    EXPECT_TRUE(busy.read_answer());
    EXPECT_EQ(busy.wait_for_end(), End::Orderly);
    EXPECT_TRUE(stopped.get());
}

}  // namespace
}  // namespace smw::test
