#include "support/http_server.hpp"

#include "smw/tls/identity.hpp"
#include "support/eventually.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace smw::test {

http::Limits test_limits() {
    http::Limits limits;
    limits.least_idle = std::chrono::milliseconds{5};
    limits.sweep = std::chrono::milliseconds{5};
    limits.drop = std::chrono::milliseconds{50};
    return limits;
}

std::shared_ptr<const tls::ServerContext> make_context() {
    auto made = tls::make_ephemeral({{"localhost", "127.0.0.1"}, std::chrono::system_clock::now()});
    if (!made) {
        throw std::runtime_error{made.error().message};
    }
    auto context = tls::ServerContext::make(std::move(made->identity), {});
    if (!context) {
        throw std::runtime_error{context.error().message};
    }
    return *context;
}

HttpServer::HttpServer(HttpServerSettings settings)
    : settings_(std::move(settings)), shards_(settings_.shards) {
    if (settings_.tls && settings_.publish) {
        contexts_.publish(make_context());
    }
    std::vector<async::Shard*> all;
    for (std::size_t index = 0; index < shards_.size(); ++index) {
        all.push_back(&shards_.at(index));
    }
    http::ListenerSettings listener;
    listener.name = "webhook";
    listener.address = settings_.address;
    listener.limits = settings_.limits;
    listener.tls = settings_.tls ? &contexts_ : nullptr;
    if (settings_.make_callers) {
        callers_ = settings_.make_callers(output_.logger(), metrics_);
        listener.callers = callers_.get();
    }
    listener_ = std::make_unique<http::Listener>(std::move(listener), std::move(all), service_,
                                                 output_.logger(), metrics_);
    if (const auto bound = listener_->bind(); !bound) {
        throw std::runtime_error{bound.error().message};
    }
    shards_.start();
    listener_->start();
}

HttpServer::~HttpServer() {
    service_.open();
    listener_->stop(Deadline::after(kPatience));
    shards_.stop();
}

void HttpServer::publish(std::shared_ptr<const tls::ServerContext> context) {
    contexts_.publish(std::move(context));
}

std::string HttpServer::metric(const std::string& series) const {
    const std::string text = metrics_.expose();
    const auto at = text.find("\n" + series + " ");
    if (at == std::string::npos) {
        return "";
    }
    const auto from = at + series.size() + 2;
    return text.substr(from, text.find('\n', from) - from);
}

ClientSettings HttpServer::client_settings() const {
    ClientSettings settings;
    settings.port = listener_->port();
    settings.tls = settings_.tls;
    return settings;
}

std::string get(std::string_view target) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
}

std::string post(std::string_view target, std::string_view body) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                       target, body.size(), body);
}

}  // namespace smw::test
