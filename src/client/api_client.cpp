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
constexpr unsigned kCreated = 201;
constexpr unsigned kAccepted = 202;
constexpr unsigned kUnauthorized = 401;
/// Of the body of a refused watch: a Status is small.
constexpr std::size_t kMostRefusal = std::size_t{64} << 10;

using StreamPtr = std::unique_ptr<http::ClientStream>;

/// Of one question, both of it or the read alone. Outlives the asking.
struct Asked {
    const ApiRequest& request;
    const ApiWrite* write = nullptr;
};

bool is_success(unsigned status) {
    return status == kOk || status == kCreated || status == kAccepted;
}

Expected<void> check(const Asked& asked) {
    if (asked.write == nullptr) {
        return check_names(asked.request);
    }
    if (!is_write(asked.request.verb)) {
        return fail(Code::BadRequest, "this verb writes nothing");
    }
    if (asked.request.verb != "delete" && asked.write->body.json.empty()) {
        return fail(Code::BadRequest, "there is nothing to write");
    }
    return check_names(asked.request);
}

const http::ClientResponse& head_of(const http::ClientResponse& whole) {
    return whole;
}

const http::ClientResponse& head_of(const StreamPtr& stream) {
    return stream->head();
}

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
    http::ClientRequest make(const Asked& asked);
    /// http::Client::send or open.
    template <class T>
    using Way = Task<Expected<T>> (http::Client::*)(http::ClientRequest request, Deadline deadline);
    /// What the API server answers, if need be with a token that is read again.
    template <class T>
    Task<Answered<T>> ask(const Asked& asked, Deadline deadline, Way<T> way);

    const ClusterConfig config;
    Credentials credentials;
    http::Client http;
};

http::ClientRequest ApiClient::State::make(const Asked& asked) {
    if (credentials.refresh_tls()) {
        http.close_idle();
    }
    http::ClientRequest made;
    made.target = target_of(asked.request, config.path);
    made.headers.emplace_back("Accept", accept_of(asked.request));
    if (asked.write != nullptr) {
        made.method = method_of(asked.request.verb);
        made.body = asked.write->body.json;
        if (!made.body.empty()) {
            made.headers.emplace_back("Content-Type", asked.write->content_type);
        }
    }
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

template <class T>
Task<Answered<T>> ApiClient::State::ask(const Asked& asked, Deadline deadline, Way<T> way) {
    if (auto good = check(asked); !good) {
        co_return tl::unexpected(unanswered(asked.request, std::move(good).error()));
    }
    auto first = make(asked);
    auto answer = co_await (http.*way)(std::move(first), deadline);
    if (answer && head_of(*answer).status == kUnauthorized && credentials.renew_token()) {
        *answer = T{};  // closes a stream that says no more than that
        auto second = make(asked);
        answer = co_await (http.*way)(std::move(second), deadline);
    }
    if (!answer) {
        co_return tl::unexpected(unanswered(asked.request, std::move(answer).error()));
    }
    co_return *std::move(answer);
}

ApiClient::ApiClient(ClusterConfig config, const Clock& clock, log::Logger logger)
    : state_(std::make_unique<State>(std::move(config), clock, std::move(logger))) {}

ApiClient::~ApiClient() = default;

Task<Answered<json::Document>> ApiClient::get(ApiRequest request, Deadline deadline) {
    const Asked asked{request};
    auto response = co_await state_->ask(asked, deadline, &http::Client::send);
    if (!response) {
        co_return tl::unexpected(std::move(response).error());
    }
    if (response->status != kOk) {
        co_return tl::unexpected(refused(request, *response));
    }
    co_return read_object(request, *std::move(response));
}

Task<Answered<json::Document>> ApiClient::write(ApiWrite write, Deadline deadline) {
    const Asked asked{write.request, &write};
    auto response = co_await state_->ask(asked, deadline, &http::Client::send);
    if (!response) {
        co_return tl::unexpected(std::move(response).error());
    }
    if (!is_success(response->status)) {
        co_return tl::unexpected(refused(write.request, *response));
    }
    co_return read_object(write.request, *std::move(response));
}

Task<Answered<std::unique_ptr<WatchStream>>> ApiClient::watch(ApiRequest request,
                                                              Deadline deadline) {
    request.query.emplace_back("watch", "1");
    const Asked asked{request};
    auto stream = co_await state_->ask(asked, deadline, &http::Client::open);
    if (!stream) {
        co_return tl::unexpected(std::move(stream).error());
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
