// The handshake and what is around it. RFC 8446, RFC 5246, RFC 7301.

#include "smw/tls/identity.hpp"
#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <atomic>
#include <thread>
#include <vector>

namespace smw::test {
namespace {

bool answers(Client& client) {
    return client.send(get("/echo")) && client.read_answer().has_value();
}

TEST(Tls, ServesVersions12And13AndRefusesOlderOnes) {
    HttpServer server{};
    auto settings = server.client_settings();
    struct Case {
        int version;
        const char* name;
    };
    for (const auto& given : {Case{TLS1_2_VERSION, "TLSv1.2"}, Case{TLS1_3_VERSION, "TLSv1.3"}}) {
        settings.min_version = settings.max_version = given.version;
        Client client{settings};
        ASSERT_TRUE(client.ready()) << given.name << ": " << client.failure();
        EXPECT_EQ(client.tls_version(), given.name);
        EXPECT_TRUE(answers(client));
        client.send("GET /echo HTTP/1.0\r\n\r\n");
        ASSERT_TRUE(client.read_answer());
        EXPECT_EQ(client.wait_for_end(), End::Orderly) << "close_notify comes before the close";
        const std::string series =
            std::string{"smw_tls_handshakes_total{result=\"ok\",version=\""} + given.name + "\"}";
        EXPECT_EQ(server.metric(series), "1");
    }
    settings.min_version = settings.max_version = TLS1_1_VERSION;
    const Client old{settings};
    EXPECT_FALSE(old.ready());
    EXPECT_THAT(old.failure(), testing::HasSubstr("protocol version"));
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
    EXPECT_EQ(server.metric("smw_tls_handshakes_total{result=\"failed\",version=\"none\"}"), "1");
}

TEST(Tls, SpeaksHttp11ByAlpn) {
    HttpServer server{};
    auto settings = server.client_settings();
    Client plain{settings};
    EXPECT_EQ(plain.alpn(), "http/1.1");
    settings.alpn = {"h2", "http/1.1"};
    Client both{settings};
    EXPECT_EQ(both.alpn(), "http/1.1");
    EXPECT_TRUE(answers(both));
    settings.alpn = {};
    Client without{settings};
    ASSERT_TRUE(without.ready());
    EXPECT_EQ(without.alpn(), "");
    EXPECT_TRUE(answers(without));
}

TEST(Tls, RefusesAClientThatOffersOnlyHttp2) {
    HttpServer server{};
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto settings = server.client_settings();
        settings.alpn = {"h2"};
        settings.max_version = version;
        const Client client{settings};
        EXPECT_FALSE(client.ready());
        EXPECT_THAT(client.failure(), testing::HasSubstr("no application protocol"));
    }
}

TEST(Tls, RefusesRenegotiationAndGoesOn) {
    HttpServer server{};
    auto settings = server.client_settings();
    settings.max_version = TLS1_2_VERSION;
    Client client{settings};
    ASSERT_TRUE(answers(client));
    EXPECT_FALSE(client.renegotiate());
    Client next{settings};
    EXPECT_TRUE(answers(next));
}

TEST(Tls, PlainHttpOnItsPortIsToldSo) {
    HttpServer server{};
    auto settings = server.client_settings();
    settings.tls = false;
    for (const std::string& body : {std::string{}, std::string(200000, 'b')}) {
        Client client{settings};
        client.send(post("/echo", body));
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer) << body.size();
        EXPECT_EQ(answer->status, 400U);
        EXPECT_THAT(answer->body, testing::HasSubstr("https://"));
        EXPECT_THAT(answer->body, testing::HasSubstr(R"("kind":"Status")"));
        EXPECT_EQ(answer->header("content-length"), std::to_string(answer->body.size()));
        EXPECT_EQ(client.wait_for_end(), End::Orderly);
    }
    EXPECT_EQ(server.service().served(), 0);
}

TEST(Tls, GarbageEndsTheConnectionOnly) {
    HttpServer server{};
    auto settings = server.client_settings();
    settings.handshake = false;
    for (const std::string& garbage :
         {std::string(1000, '\0'), std::string(1000, '\xff'), std::string{"\x16\x03\x01\xff\xff"},
          std::string{"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", 10},
          std::string{"\x80\x2e\x01\x00\x02", 5}}) {
        Client client{settings};
        client.send_raw(garbage);
        client.half_close();
        EXPECT_NE(client.wait_for_end(), End::Open);
    }
    Client cut = server.connect();
    ASSERT_TRUE(cut.ready());
    cut.send_raw(std::string(100, '\x17'));
    EXPECT_NE(cut.wait_for_end(), End::Open);
    Client next = server.connect();
    EXPECT_TRUE(answers(next));
    EXPECT_EQ(server.log().count(log::Level::Error), 0U) << server.log().text();
}

TEST(Tls, ACloseWithoutNotifyInTheMiddleOfABodyIsNoRequest) {
    HttpServer server{};
    Client client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    ASSERT_TRUE(eventually([&] { return server.listener().bytes_in_flight() == 4; }));
    client.reset();
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
    EXPECT_EQ(server.service().served(), 0);
}

TEST(Certificate, WithoutOneConnectionsAreClosedUntilOneIsPublished) {
    HttpServer server{{.publish = false}};
    const Client early = server.connect();
    EXPECT_FALSE(early.ready());
    server.publish(make_context());
    Client client = server.connect();
    ASSERT_TRUE(client.ready()) << client.failure();
    EXPECT_TRUE(answers(client));
}

TEST(Certificate, ANewOneIsForNewConnectionsOnly) {
    HttpServer server{};
    Client before = server.connect();
    ASSERT_TRUE(answers(before));
    const auto next = make_context();
    server.publish(next);
    Client after = server.connect();
    ASSERT_TRUE(answers(after));
    EXPECT_EQ(after.peer_certificate(), next->identity().chain_pem);
    EXPECT_NE(before.peer_certificate(), after.peer_certificate());
    EXPECT_TRUE(answers(before));
}

TEST(Certificate, SwappedUnderLoadFailsNoRequest) {
    HttpServer server{};
    std::atomic<int> failed{0};
    std::atomic<int> done{0};
    const auto work = [&] {
        Client kept = server.connect();
        for (int round = 0; round < 60; ++round) {
            Client fresh = server.connect();
            failed += fresh.ready() && answers(fresh) ? 0 : 1;
            failed += answers(kept) ? 0 : 1;
            ++done;
        }
    };
    std::vector<std::thread> clients;
    for (int index = 0; index < 3; ++index) {
        clients.emplace_back(work);
    }
    while (done < 180) {
        server.publish(make_context());
    }
    for (auto& client : clients) {
        client.join();
    }
    EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace smw::test
