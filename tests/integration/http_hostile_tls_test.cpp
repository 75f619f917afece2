// Peers that keep TLS busy and never ask for anything.

#include "bystander.hpp"
#include "support/eventually.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <memory>

namespace smw::test {
namespace {

using std::chrono::milliseconds;

/// More records than socket buffers hold.
constexpr int kEndless = 1'000'000;

/// What OpenSSL sends first.
std::string client_hello() {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(context.get()), SSL_free};
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_connect(ssl.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

class HostileTls : public testing::Test {
protected:
    /// The bystander was served in time all along.
    static void expect_unharmed(Bystander& bystander) {
        EXPECT_TRUE(bystander.goes_on());
        bystander.end();
        EXPECT_EQ(bystander.unanswered(), 0);
        EXPECT_LT(bystander.longest(), kGenerous);
    }
};

TEST_F(HostileTls, AHandshakeThatTricklesHasNoMoreTime) {
    auto limits = test_limits();
    limits.handshake = milliseconds{100};
    HttpServer server{{.limits = limits, .shards = 1}};
    auto settings = server.client_settings();
    settings.handshake = false;
    Client client{settings};
    const std::string hello = client_hello();
    std::size_t sent = 0;
    // The last byte never comes.
    EXPECT_TRUE(eventually([&] {
        client.send_raw(hello.substr(sent, sent + 1 < hello.size() ? 1 : 0));
        sent += sent + 1 < hello.size() ? 1 : 0;
        return client.ended_now();
    }));
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
}

TEST_F(HostileTls, KeyUpdatesWithoutEndEndTheConnection) {
    for (const bool ask_for_one : {false, true}) {
        HttpServer server{{.shards = 1}};
        Bystander bystander{server};
        Client client = server.connect();
        ASSERT_EQ(client.tls_version(), "TLSv1.3");
        int updates = 0;
        while (updates < kEndless && client.update_keys(ask_for_one)) {
            ++updates;
        }
        EXPECT_LT(updates, kEndless) << ask_for_one;
        EXPECT_TRUE(eventually([&] { return client.ended_now(); }));
        EXPECT_TRUE(eventually([&] {
            return server.metric(
                       "smw_limits_reached_total{limit=\"key-renewals\","
                       "listener=\"webhook\"}") == "1";
        }));
        expect_unharmed(bystander);
    }
}

TEST_F(HostileTls, KeyUpdatesBetweenRequestsAreNoFlood) {
    HttpServer server{};
    Client client = server.connect();
    ASSERT_EQ(client.tls_version(), "TLSv1.3");
    for (int round = 0; round < 100; ++round) {
        ASSERT_TRUE(client.update_keys(round % 2 == 0));
        ASSERT_TRUE(client.send(get("/echo")));
        ASSERT_TRUE(client.read_answer()) << round;
    }
}

/// So nobody replays a review as early data, and no ticket key must be kept.
TEST_F(HostileTls, NothingCanBeResumed) {
    HttpServer server{};
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto settings = server.client_settings();
        settings.max_version = version;
        Client client{settings};
        ASSERT_TRUE(client.send(get("/echo")));
        ASSERT_TRUE(client.read_answer());
        EXPECT_FALSE(client.resumable()) << client.tls_version();
    }
}

}  // namespace
}  // namespace smw::test
