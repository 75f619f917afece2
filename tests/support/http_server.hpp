#pragma once
// Shards and a Listener on a free port of 127.0.0.1, with an ephemeral certificate.

#include "smw/async/shards.hpp"
#include "smw/async/snapshot.hpp"
#include "smw/http/listener.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/server_context.hpp"
#include "support/client.hpp"
#include "support/fake_service.hpp"
#include "support/recording_output.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace smw::test {

/// The real limits, but looked at often, and clients that never close are not waited for; a test
/// shortens the one it is about.
[[nodiscard]] http::Limits test_limits();

/// A context with a fresh certificate for localhost.
[[nodiscard]] std::shared_ptr<const tls::ServerContext> make_context();

struct HttpServerSettings {
    http::Limits limits = test_limits();
    std::string address = "127.0.0.1";
    bool tls = true;
    bool publish = true;  ///< a certificate before the start
    std::size_t shards = 2;
    /// Makes what asks callers for certificates; it goes with the server.
    std::function<std::unique_ptr<tls::Callers>(log::Logger, metrics::Registry&)> make_callers{};
};

class HttpServer {
public:
    explicit HttpServer(HttpServerSettings settings = {});
    /// Stops; what /slow waits for is opened first.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] FakeService& service() { return service_; }
    [[nodiscard]] http::Listener& listener() { return *listener_; }
    [[nodiscard]] RecordingOutput& log() { return output_; }
    [[nodiscard]] async::Shards& shards() { return shards_; }
    void publish(std::shared_ptr<const tls::ServerContext> context);
    /// The value of a metric's line, as exposed: "smw_connections{listener=\"webhook\"}".
    [[nodiscard]] std::string metric(const std::string& series) const;

    /// How to reach it; a test changes what it is about.
    [[nodiscard]] ClientSettings client_settings() const;
    [[nodiscard]] Client connect() const { return Client{client_settings()}; }

private:
    HttpServerSettings settings_;
    RecordingOutput output_;
    metrics::Registry metrics_;
    FakeService service_;
    async::Snapshot<tls::ServerContext> contexts_;
    std::unique_ptr<tls::Callers> callers_;
    async::Shards shards_;
    std::unique_ptr<http::Listener> listener_;
};

/// "GET /echo HTTP/1.1" and a Host.
[[nodiscard]] std::string get(std::string_view target);
/// POST with Content-Length.
[[nodiscard]] std::string post(std::string_view target, std::string_view body);

}  // namespace smw::test
