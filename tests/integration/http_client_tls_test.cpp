// Whom a client trusts, who it is, and what it says of whom it does not trust.

#include "http_client_caller.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace smw::http {
namespace {

using test::Caller;
using test::CertificateSpec;
using test::RawConnection;
using test::RawServer;
using test::RawServerSettings;
using testing::HasSubstr;

using Contexts = async::Snapshot<tls::ClientContext>;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

void answer_all(RawConnection& connection) {
    while (!connection.read_request().empty()) {
        connection.send(kAnswer);
    }
}

RawServerSettings settings_with(const test::Pair& pair) {
    return {.chain_pem = pair.chain_pem, .key_pem = pair.key_pem};
}

/// What a client with `tls` gets from `server`.
Expected<ClientResponse> ask(const RawServer& server, tls::ClientContextSettings tls,
                             std::string server_name = "") {
    Contexts contexts;
    auto context = tls::ClientContext::make(tls);
    if (!context) {
        return tl::unexpected(context.error());
    }
    contexts.publish(std::move(*context));
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    settings.server_name = std::move(server_name);
    return Caller{std::move(settings)}.send();
}

void expect_ok(const Expected<ClientResponse>& response, const std::string& what = "") {
    ASSERT_TRUE(response) << what << ": " << response.error().message;
    EXPECT_EQ(response->body, "ok") << what;
}

void expect_refusal(const Expected<ClientResponse>& response, const std::string& says) {
    ASSERT_FALSE(response) << says;
    EXPECT_EQ(response.error().code, Code::Unavailable);
    EXPECT_THAT(response.error().message, HasSubstr("TLS handshake with 127.0.0.1:"));
    EXPECT_THAT(response.error().message, HasSubstr(says));
}

TEST(HttpClientTls, TrustsItsCa) {
    const auto pair = test::make_pair();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto settings = settings_with(pair);
        settings.max_version = version;
        const RawServer server{answer_all, std::move(settings)};
        expect_ok(ask(server, {.ca_pem = pair.chain_pem}), std::to_string(version));
    }
}

TEST(HttpClientTls, UsesAConnectionAgain) {
    const auto pair = test::make_pair();
    Contexts contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    const RawServer server{answer_all, settings_with(pair)};
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    Caller caller{std::move(settings)};
    for (int count = 0; count < 3; ++count) {
        expect_ok(caller.send());
    }
    EXPECT_EQ(server.connections(), 1);
}

struct Name {
    const char* san;
    const char* server_name;  ///< empty: the address, 127.0.0.1
    bool good;
};

TEST(HttpClientTls, ChecksTheNameOfTheCertificate) {
    constexpr Name kNames[] = {
        {"IP:127.0.0.1", "", true},
        {"DNS:127.0.0.1", "", false},
        {"IP:127.0.0.2,DNS:localhost", "", false},
        {"DNS:kubernetes.default.svc", "kubernetes.default.svc", true},
        {"DNS:kubernetes.default.svc", "KUBERNETES.default.svc", true},
        {"DNS:kubernetes.default.svc", "kubernetes.default.svc.", true},
        {"DNS:kubernetes.default.svc", "kubernetes.default", false},
        {"DNS:kubernetes.default.svc", "evil.kubernetes.default.svc", false},
        {"DNS:*.example.org", "api.example.org", true},
        {"DNS:*.example.org", "a.b.example.org", false},
        {"DNS:*.example.org", "example.org", false},
        {"DNS:a*.example.org", "api.example.org", false},
        {"IP:10.96.0.1", "10.96.0.1", true},
        {"IP:10.96.0.2,DNS:10.96.0.1", "10.96.0.1", false},
        {"IP:fd00::1", "fd00::1", true},
        {"IP:fd00::1", "fd00::2", false},
        {"", "webhook", false},  // the common name counts for nothing
    };
    for (const auto& [san, server_name, good] : kNames) {
        const auto pair = test::make_pair({.san = san});
        const RawServer server{answer_all, settings_with(pair)};
        const auto response = ask(server, {.ca_pem = pair.chain_pem}, server_name);
        const std::string name = *server_name == '\0' ? "127.0.0.1" : server_name;
        if (good) {
            expect_ok(response, name);
        } else {
            expect_refusal(response, "certificate verify failed: it is not valid for " + name);
        }
    }
}

TEST(HttpClientTls, AsksForANameButNotForAnAddress) {
    const auto pair = test::make_pair({.san = "DNS:kubernetes.default.svc,IP:127.0.0.1"});
    const RawServer server{[](RawConnection& connection) {
                               connection.read_request();
                               const std::string name = connection.server_name();
                               connection.send("HTTP/1.1 200 OK\r\nContent-Length: " +
                                               std::to_string(name.size()) + "\r\n\r\n" + name);
                               connection.wait_for_end();
                           },
                           settings_with(pair)};
    const tls::ClientContextSettings tls{.ca_pem = pair.chain_pem};
    EXPECT_EQ(ask(server, tls)->body, "");
    EXPECT_EQ(ask(server, tls, "127.0.0.1")->body, "");
    EXPECT_EQ(ask(server, tls, "kubernetes.default.svc")->body, "kubernetes.default.svc");
    EXPECT_EQ(ask(server, tls, "kubernetes.default.svc.")->body, "kubernetes.default.svc");
}

TEST(HttpClientTls, SaysWhyACertificateIsNotGood) {
    using std::chrono::hours;
    const auto now = std::chrono::system_clock::now();
    const auto other = test::make_pair();
    const auto expired = test::make_pair({.not_after = now - hours{1}});
    const auto early = test::make_pair({.not_before = now + hours{1}});
    const auto for_clients = test::make_pair({.extended_key_usage = "clientAuth"});
    const struct {
        test::Pair pair;
        std::string ca;
        std::string says;
    } bad[] = {
        {other, test::make_pair({.common_name = "another"}).chain_pem,
         "certificate verify failed: self-signed certificate"},
        {other, "", "certificate verify failed: self-signed certificate"},
        {expired, expired.chain_pem, "certificate verify failed: certificate has expired"},
        {early, early.chain_pem, "certificate verify failed: certificate is not yet valid"},
        {for_clients, for_clients.chain_pem,
         "certificate verify failed: unsuitable certificate purpose"},
    };
    for (const auto& [pair, ca, says] : bad) {
        const RawServer server{answer_all, settings_with(pair)};
        expect_refusal(ask(server, {.ca_pem = ca}), says);
        EXPECT_TRUE(server.requests().empty()) << "nothing is said to who is not trusted";
    }
}

TEST(HttpClientTls, SaysThatAnIssuerIsNotKnown) {
    const auto ca_key = test::make_key();
    const auto ca = test::issue({.common_name = "ca", .san = "", .is_ca = true}, ca_key);
    const test::Issuer issuer{ca, ca_key};
    const auto key = test::make_key();
    const test::Pair pair{test::to_pem(test::issue({}, key, &issuer)), test::to_pem(key)};
    const RawServer server{answer_all, settings_with(pair)};
    expect_ok(ask(server, {.ca_pem = test::to_pem(ca)}));
    expect_refusal(ask(server, {.ca_pem = test::make_pair().chain_pem}),
                   "certificate verify failed: unable to get local issuer certificate");
}

TEST(HttpClientTls, BelievesAnyCertificateWhenToldTo) {
    const auto hours = std::chrono::hours{1};
    const auto expired = test::make_pair(
        {.san = "DNS:other", .not_after = std::chrono::system_clock::now() - hours});
    const RawServer server{answer_all, settings_with(expired)};
    expect_ok(ask(server, {.verify = false}));
}

TEST(HttpClientTls, ShowsItsCertificate) {
    const auto pair = test::make_pair();
    const auto own = test::make_pair({.common_name = "node", .extended_key_usage = "clientAuth"});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto settings = settings_with(pair);
        settings.client_ca_pem = own.chain_pem;
        settings.max_version = version;
        const RawServer server{[](RawConnection& connection) {
                                   connection.read_request();
                                   connection.send(connection.client_name() == "node"
                                                       ? kAnswer
                                                       : "HTTP/1.1 403 No\r\n\r\n");
                                   connection.close();
                               },
                               std::move(settings)};
        const tls::ClientContextSettings with{
            .ca_pem = pair.chain_pem, .chain_pem = own.chain_pem, .key_pem = own.key_pem};
        expect_ok(ask(server, with));
        const auto without = ask(server, {.ca_pem = pair.chain_pem});
        ASSERT_FALSE(without) << version;
        EXPECT_EQ(without.error().code, Code::Unavailable);
        // TLS 1.3 says so only after the handshake, TLS 1.2 in it.
        EXPECT_THAT(without.error().message,
                    HasSubstr(version == TLS1_3_VERSION ? "certificate required"
                                                        : "alert handshake failure"));
    }
}

TEST(HttpClientTls, DoesNotSpeakAnotherProtocol) {
    const auto pair = test::make_pair();
    for (const bool insist : {true, false}) {
        auto settings = settings_with(pair);
        settings.alpn = "h2";
        settings.insist_on_alpn = insist;
        const RawServer server{answer_all, std::move(settings)};
        expect_refusal(ask(server, {.ca_pem = pair.chain_pem}),
                       insist ? "alert no application protocol" : "bad extension");
    }
}

TEST(HttpClientTls, TakesAServerThatChoosesHttp11) {
    const auto pair = test::make_pair();
    auto settings = settings_with(pair);
    settings.alpn = "http/1.1";
    settings.insist_on_alpn = true;
    const RawServer server{answer_all, std::move(settings)};
    expect_ok(ask(server, {.ca_pem = pair.chain_pem}));
}

TEST(HttpClientTls, SaysWhatIsWrongWithTheOtherSide) {
    const auto pair = test::make_pair();
    const tls::ClientContextSettings tls{.ca_pem = pair.chain_pem};
    const struct {
        const char* what;
        std::function<void(RawConnection&)> script;
        const char* says;
    } servers[] = {
        {"plain HTTP",
         [](RawConnection& connection) {
             connection.read_more();
             connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
             connection.wait_for_end();
         },
         "it does not speak TLS"},
        {"closes",
         [](RawConnection& connection) {
             connection.read_more();
             connection.close();
         },
         "the connection was c"},
        {"resets",
         [](RawConnection& connection) {
             connection.read_more();
             connection.reset();
         },
         "connection reset"},
    };
    for (const auto& [what, script, says] : servers) {
        const RawServer server{script};
        expect_refusal(ask(server, tls), says);
    }
    auto old = settings_with(pair);
    old.max_version = TLS1_1_VERSION;
    const RawServer server{answer_all, std::move(old)};
    expect_refusal(ask(server, tls), "protocol version");
}

TEST(HttpClientTls, FailsWhileThereIsNobodyToTrust) {
    const Contexts contexts;
    const RawServer server{answer_all, settings_with(test::make_pair())};
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    const auto response = Caller{std::move(settings)}.send();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::Unavailable);
    EXPECT_THAT(response.error().message, HasSubstr("there are no certificates to trust yet"));
    EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClientTls, TakesNewCertificatesForNewConnections) {
    const auto before = test::make_pair();
    const auto after = test::make_pair();
    const RawServer server{answer_all, settings_with(after)};
    Contexts contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = before.chain_pem}));
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    Caller caller{std::move(settings)};
    EXPECT_FALSE(caller.send());
    contexts.publish(*tls::ClientContext::make({.ca_pem = after.chain_pem}));
    expect_ok(caller.send());
}

}  // namespace
}  // namespace smw::http
