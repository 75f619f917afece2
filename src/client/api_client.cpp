#include "smw/client/api_client.hpp"

#include "client/api_failure.hpp"
#include "client/api_paths.hpp"
#include "client/credentials.hpp"
#include "client/watch_lines.hpp"
#include "smw/base/version.hpp"
#include "smw/http/client.hpp"

#include <fmt/format.h>

#include <utility>

namespace smw::client {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kUnauthorized = 401;
/// Of the body of a refused watch: a Status is small.
constexpr std::size_t kMostRefusal = std::size_t{64} << 10;

using OpenedStream = Expected<std::unique_ptr<http::ClientStream>>;

http::ClientSettings settings_of(const ClusterConfig& config, const Credentials& credentials) {
    http::ClientSettings settings;
    settings.host = config.host;
    settings.port = config.port;
    settings.server_name = config.tls_server_name;
    settings.user_agent = fmt::format("stateful-migration-webhook/{} (linux)", version());
    settings.tls = config.tls ? &credentials.contexts() : nullptr;
    return settings;
}

/// The whole answer of a stream that is no watch.
Task<http::ClientResponse> read_refusal(http::ClientStream& stream, Deadline deadline) {
    http::ClientResponse response = stream.head();
    response.body.clear();
    while (response.body.size() < kMostRefusal) {
        const auto bytes = co_await stream.read(deadline);
        if (!bytes || bytes->empty()) {
            break;
        }
        response.body += *bytes;
    }
    co_return response;
}

}  // namespace

struct ApiClient::State {
    State(ClusterConfig given, const Clock& clock, log::Logger logger)
        : config(std::move(given)),
          credentials(config, clock, std::move(logger)),
          http(settings_of(config, credentials)) {}

    /// With the credentials of this moment.
    http::ClientRequest make(const ApiRequest& request);
    Task<Expected<http::ClientResponse>> send(const ApiRequest& request, Deadline deadline);
    Task<OpenedStream> open(const ApiRequest& request, Deadline deadline);

    const ClusterConfig config;
    Credentials credentials;
    http::Client http;
};

http::ClientRequest ApiClient::State::make(const ApiRequest& request) {
    if (credentials.refresh_tls()) {
        http.close_idle();
    }
    http::ClientRequest made;
    made.target = target_of(request, config.path);
    made.headers.emplace_back("Accept", accept_of(request));
    if (const auto& token = credentials.token(); !token.empty()) {
        made.headers.emplace_back("Authorization", "Bearer " + token);
    }
    if (!config.as.user.empty()) {
        made.headers.emplace_back("Impersonate-User", config.as.user);
    }
    if (!config.as.uid.empty()) {
        made.headers.emplace_back("Impersonate-Uid", config.as.uid);
    }
    for (const auto& group : config.as.groups) {
        made.headers.emplace_back("Impersonate-Group", group);
    }
    return made;
}

Task<Expected<http::ClientResponse>> ApiClient::State::send(const ApiRequest& request,
                                                            Deadline deadline) {
    auto first = make(request);
    auto response = co_await http.send(std::move(first), deadline);
    if (!response || response->status != kUnauthorized || !credentials.renew_token()) {
        co_return response;
    }
    auto second = make(request);
    auto renewed = co_await http.send(std::move(second), deadline);
    co_return renewed;
}

Task<OpenedStream> ApiClient::State::open(const ApiRequest& request, Deadline deadline) {
    auto first = make(request);
    auto stream = co_await http.open(std::move(first), deadline);
    if (!stream || (*stream)->head().status != kUnauthorized || !credentials.renew_token()) {
        co_return stream;
    }
    stream->reset();
    auto second = make(request);
    auto renewed = co_await http.open(std::move(second), deadline);
    co_return renewed;
}

ApiClient::ApiClient(ClusterConfig config, const Clock& clock, log::Logger logger)
    : state_(std::make_unique<State>(std::move(config), clock, std::move(logger))) {}

ApiClient::~ApiClient() = default;

Task<Answered<json::Document>> ApiClient::get(ApiRequest request, Deadline deadline) {
    if (auto good = check_names(request); !good) {
        co_return tl::unexpected(unanswered(request, std::move(good).error()));
    }
    auto response = co_await state_->send(request, deadline);
    if (!response) {
        co_return tl::unexpected(unanswered(request, std::move(response).error()));
    }
    if (response->status != kOk) {
        co_return tl::unexpected(refused(request, *response));
    }
    co_return read_object(request, *std::move(response));
}

Task<Answered<std::unique_ptr<WatchStream>>> ApiClient::watch(ApiRequest request,
                                                              Deadline deadline) {
    if (auto good = check_names(request); !good) {
        co_return tl::unexpected(unanswered(request, std::move(good).error()));
    }
    request.query.emplace_back("watch", "1");
    auto stream = co_await state_->open(request, deadline);
    if (!stream) {
        co_return tl::unexpected(unanswered(request, std::move(stream).error()));
    }
    if ((*stream)->head().status != kOk) {
        const auto response = co_await read_refusal(**stream, deadline);
        co_return tl::unexpected(refused(request, response));
    }
    if (!is_json((*stream)->head())) {
        co_return tl::unexpected(not_json(request, (*stream)->head()));
    }
    std::unique_ptr<WatchStream> lines =
        std::make_unique<WatchLines>(std::move(request), *std::move(stream));
    co_return lines;
}

}  // namespace smw::client
