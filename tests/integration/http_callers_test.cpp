// --client-auth on real connections: who may ask, and what becomes of who may not.

#include "support/certificates.hpp"
#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace smw::test {
namespace {

using testing::HasSubstr;
using tls::ClientAuth;

Issuer make_ca(const std::string& name) {
    CertificateSpec spec;
    spec.common_name = name;
    spec.is_ca = true;
    spec.extended_key_usage = "";
    const auto key = make_key();
    return {issue(spec, key), key};
}

class HttpCallersTest : public testing::Test {
protected:
    HttpCallersTest() { trust(ca_); }

    void trust(const Issuer& ca) {
        cas_.publish(
            *tls::ClientCa::make(to_pem(ca.certificate), std::chrono::system_clock::now()));
    }
    [[nodiscard]] HttpServerSettings settings(ClientAuth mode) {
        HttpServerSettings settings;
        settings.make_callers = [this, mode](log::Logger logger, metrics::Registry& metrics) {
            return std::make_unique<tls::Callers>(tls::CallerPolicy{mode, {"kube-apiserver"}}, cas_,
                                                  std::move(logger), metrics);
        };
        return settings;
    }
    /// How somebody with a certificate of `ca` reaches the server.
    static ClientSettings with_certificate(const HttpServer& server, const Issuer& ca) {
        CertificateSpec spec;
        spec.common_name = "kube-apiserver";
        spec.extended_key_usage = "clientAuth";
        const auto key = make_key();
        auto settings = server.client_settings();
        settings.chain_pem = to_pem(issue(spec, key, &ca));
        settings.key_pem = to_pem(key);
        return settings;
    }
    static std::string counted(const HttpServer& server, const std::string& result) {
        return server.metric("smw_callers_total{result=\"" + result + "\"}");
    }
    static unsigned asks(Client& client, std::string_view body = "review") {
        client.send(post("/guarded", body));
        const auto answer = client.read_answer();
        return answer ? answer->status : 0;
    }

    const Issuer ca_ = make_ca("client-ca");
    async::Snapshot<tls::ClientCa> cas_;
};

TEST_F(HttpCallersTest, WhoHasAGoodCertificateAsksOnAndOn) {
    HttpServer server{settings(ClientAuth::Require)};
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto with = with_certificate(server, ca_);
        with.min_version = with.max_version = version;
        Client client{with};
        ASSERT_TRUE(client.ready()) << client.failure();
        for (int round = 0; round < 3; ++round) {
            EXPECT_EQ(asks(client), 200U);
        }
    }
    EXPECT_EQ(counted(server, "allowed"), "2") << "once a connection";
    EXPECT_EQ(server.log().count("Caller verified"), 2U);
}

TEST_F(HttpCallersTest, AStrangerHearsWhyAndTheConnectionEnds) {
    HttpServer server{settings(ClientAuth::Require)};
    const auto unknown = make_ca("unknown");
    // With a body or without, larger than what is read ahead, too: the answer arrives.
    for (const std::string& body :
         {std::string{}, std::string{"review"}, std::string(1U << 20, 'b')}) {
        for (const auto& with : {server.client_settings(), with_certificate(server, unknown)}) {
            Client client{with};
            ASSERT_TRUE(client.ready()) << client.failure();
            client.send(post("/guarded", body));
            const auto answer = client.read_answer();
            ASSERT_TRUE(answer) << body.size();
            EXPECT_EQ(answer->status, 403U);
            EXPECT_EQ(answer->header("connection"), "close");
            EXPECT_THAT(answer->body,
                        HasSubstr(with.chain_pem.empty() ? "was presented" : "is not trusted"));
            EXPECT_EQ(client.wait_for_end(), End::Orderly);
        }
    }
    EXPECT_EQ(server.service().served(), 0);
    EXPECT_EQ(counted(server, "unverified"), "3");
    EXPECT_EQ(counted(server, "no_certificate"), "3");
    EXPECT_GE(server.log().count("Caller refused"), 1U) << "a line a second";
}

TEST_F(HttpCallersTest, NobodyIsAskedWithoutTls) {
    auto plain = settings(ClientAuth::Require);
    plain.tls = false;
    EXPECT_THROW(HttpServer{plain}, std::logic_error);
}

TEST_F(HttpCallersTest, ReportRefusesNobody) {
    HttpServer server{settings(ClientAuth::Report)};
    Client nobody{server.client_settings()};
    Client stranger{with_certificate(server, make_ca("unknown"))};
    Client known{with_certificate(server, ca_)};
    for (Client* client : {&nobody, &stranger, &known}) {
        EXPECT_EQ(asks(*client), 200U);
        EXPECT_EQ(asks(*client), 200U);
    }
    for (const char* result : {"allowed", "unverified", "no_certificate"}) {
        EXPECT_EQ(counted(server, result), "1") << result;
    }
}

TEST_F(HttpCallersTest, AConnectionEndsInGoodOrderWhenTheCaHasChanged) {
    for (const auto mode : {ClientAuth::Require, ClientAuth::Report}) {
        trust(ca_);
        HttpServer server{settings(mode)};
        Client before{with_certificate(server, ca_)};
        before.send(post("/guarded", "review"));
        const auto first = before.read_answer();
        ASSERT_TRUE(first);
        EXPECT_EQ(first->header("connection"), "");
        const auto next = make_ca("next-ca");
        trust(next);
        before.send(post("/guarded", "review"));
        const auto last = before.read_answer();
        ASSERT_TRUE(last);
        EXPECT_EQ(last->status, 200U) << "judged when it connected";
        EXPECT_EQ(last->header("connection"), "close");
        EXPECT_EQ(before.wait_for_end(), End::Orderly);
        Client old{with_certificate(server, ca_)};
        EXPECT_EQ(asks(old), mode == ClientAuth::Require ? 403U : 200U);
        Client after{with_certificate(server, next)};
        EXPECT_EQ(asks(after), 200U);
        EXPECT_EQ(asks(after), 200U);
    }
}

TEST_F(HttpCallersTest, WithoutAClientCaNobodyMayAskUntilThereIsOne) {
    cas_.publish(nullptr);
    HttpServer server{settings(ClientAuth::Require)};
    Client early{with_certificate(server, ca_)};
    early.send(post("/guarded", "review"));
    const auto answer = early.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 403U);
    EXPECT_THAT(answer->body, HasSubstr("no client CA"));
    EXPECT_EQ(early.wait_for_end(), End::Orderly);
    trust(ca_);
    Client late{with_certificate(server, ca_)};
    EXPECT_EQ(asks(late), 200U);
    EXPECT_EQ(counted(server, "no_client_ca"), "1");
}

TEST_F(HttpCallersTest, AFailedHandshakeIsNoCaller) {
    HttpServer server{settings(ClientAuth::Require)};
    auto with = server.client_settings();
    with.alpn = {"h2"};
    const Client client{with};
    EXPECT_FALSE(client.ready());
    EXPECT_TRUE(eventually([&] { return server.listener().connections() == 0; }));
    EXPECT_EQ(counted(server, "no_certificate"), "0");
}

TEST_F(HttpCallersTest, ASwapUnderLoadRefusesNobody) {
    // Callers have a certificate of each CA; both stay trusted, as in a rotation done right.
    const auto next = make_ca("next-ca");
    const auto both = to_pem(ca_.certificate) + to_pem(next.certificate);
    const auto now = std::chrono::system_clock::now();
    cas_.publish(*tls::ClientCa::make(both, now));
    HttpServer server{settings(ClientAuth::Require)};
    std::atomic<int> failed{0};
    std::atomic<int> done{0};
    const auto work = [&](const Issuer& mine) {
        const auto with = with_certificate(server, mine);
        auto kept = std::make_unique<Client>(with);
        for (int round = 0; round < 40; ++round) {
            Client fresh{with};
            failed += asks(fresh) == 200 ? 0 : 1;
            kept->send(post("/guarded", "review"));
            const auto answer = kept->read_answer();
            failed += answer && answer->status == 200 ? 0 : 1;
            if (answer && answer->header("connection") == "close") {
                kept = std::make_unique<Client>(with);
            }
            ++done;
        }
    };
    std::vector<std::thread> callers;
    for (const auto* ca : {&ca_, &next, &ca_}) {
        callers.emplace_back(work, std::cref(*ca));
    }
    while (done < 120) {
        cas_.publish(*tls::ClientCa::make(both, now));
    }
    for (auto& caller : callers) {
        caller.join();
    }
    EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace smw::test
