#pragma once
// Handshakes in memory between an OpenSSL client and a ServerContext that asks who calls.

#include "smw/tls/callers.hpp"
#include "smw/tls/server_context.hpp"
#include "support/certificates.hpp"
#include "support/recording_output.hpp"
#include "support/turned_clock.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

/// Apart from the names of the other worlds, which are alike.
namespace smw::tls::calls {

using std::chrono::hours;
using test::CertificateSpec;
using test::Issuer;

inline const WallTime kNow = std::chrono::system_clock::now();

inline Issuer make_ca(const std::string& name, const Issuer* above = nullptr,
                      CertificateSpec spec = {}) {
    spec.common_name = name;
    spec.san = "";
    spec.extended_key_usage = "";
    spec.is_ca = true;
    const auto key = test::make_key();
    return {test::issue(spec, key, above), key};
}

inline CertificateSpec client_spec() {
    CertificateSpec spec;
    spec.common_name = "kube-apiserver";
    spec.san = "DNS:api.example.com,IP:10.0.0.1,IP:fd00::1,URI:spiffe://cluster/api,email:a@b.c";
    spec.extended_key_usage = "clientAuth";
    return spec;
}

/// What a client shows: the leaf first.
struct Shown {
    std::vector<test::CertificatePtr> chain;
    test::KeyPtr key;
};

inline Shown leaf_of(const Issuer& ca, const CertificateSpec& spec = client_spec(),
                     test::KeyKind kind = test::KeyKind::P256) {
    const auto key = test::make_key(kind);
    return {{test::issue(spec, key, &ca)}, key};
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

inline Context client_context(const Shown& shown, int version) {
    Context context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    if (!shown.chain.empty()) {
        SSL_CTX_use_certificate(context.get(), shown.chain.front().get());
        SSL_CTX_use_PrivateKey(context.get(), shown.key.get());
    }
    for (std::size_t index = 1; index < shown.chain.size(); ++index) {
        SSL_CTX_add1_chain_cert(context.get(), shown.chain[index].get());
    }
    return context;
}

class CallersTest : public testing::Test {
protected:
    CallersTest() {
        const auto pair = test::make_pair();
        auto identity = make_identity(pair.chain_pem, pair.key_pem, {{}, kNow});
        server_ = *ServerContext::make(std::move(*identity), {});
    }

    void trust(const std::vector<Issuer>& cas) {
        std::string pem;
        for (const auto& ca : cas) {
            pem += test::to_pem(ca.certificate);
        }
        cas_.publish(*ClientCa::make(pem, kNow));
    }

    [[nodiscard]] Callers callers(CallerPolicy policy = {ClientAuth::Require, {}}) {
        return {std::move(policy), cas_, output_.logger(), metrics_};
    }

    /// The server's session after a handshake; null when there was none.
    Session connect(const Callers* callers, const Shown& shown, int version = TLS1_3_VERSION) {
        const auto context = client_context(shown, version);
        const Session client{SSL_new(context.get()), SSL_free};
        Session server{SSL_new(server_->native()), SSL_free};
        if (callers != nullptr) {
            callers->ask(server.get());
        }
        BIO* one = nullptr;
        BIO* other = nullptr;
        // So small that the server reads a certificate in many pieces, as from a slow network.
        BIO_new_bio_pair(&one, 700, &other, 700);
        SSL_set_bio(client.get(), one, one);
        SSL_set_bio(server.get(), other, other);
        SSL_set_connect_state(client.get());
        SSL_set_accept_state(server.get());
        for (int round = 0; round < 100; ++round) {
            if (SSL_do_handshake(client.get()) == 1 && SSL_do_handshake(server.get()) == 1) {
                return server;
            }
            const int result = SSL_do_handshake(server.get());
            const int error = SSL_get_error(server.get(), result);
            if (result != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
                break;
            }
        }
        ERR_clear_error();
        return {nullptr, SSL_free};
    }

    Caller caller_of(const Shown& shown, int version = TLS1_3_VERSION) {
        const auto asking = callers();
        const auto session = connect(&asking, shown, version);
        EXPECT_TRUE(session) << "no handshake";
        return session ? read_caller(session.get()) : Caller{};
    }

    /// The refusal that this caller hears.
    std::string refusal(const Callers& callers, const Shown& shown) {
        const auto session = connect(&callers, shown);
        EXPECT_TRUE(session) << "no handshake";
        return session ? callers.hear(session.get(), clock_.now()).refused : "no handshake";
    }

    double counted(const char* result) {
        return metrics_.counter({"smw_callers_total", "", {"result"}}).with({result}).value();
    }

    test::TurnedClock clock_;
    test::RecordingOutput output_;
    metrics::Registry metrics_;
    async::Snapshot<ClientCa> cas_;
    std::shared_ptr<const ServerContext> server_;
    const Issuer ca_ = make_ca("client-ca");
};

}  // namespace smw::tls::calls
