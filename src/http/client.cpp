#include "smw/http/client.hpp"

#include "http/client_connect.hpp"
#include "http/client_connection.hpp"
#include "http/client_request.hpp"
#include "http/client_stream.hpp"
#include "smw/async/with_deadline.hpp"
#include "smw/json/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace smw::http {

using ConnectionPtr = std::unique_ptr<ClientConnection>;
using StreamPtr = std::unique_ptr<ClientStream>;

struct Client::State {
    explicit State(ClientSettings given)
        : settings(std::move(given)), origin(print_origin(settings)) {}

    const ClientSettings settings;
    const std::string origin;
    std::vector<ConnectionPtr> idle;  ///< the last used last
    std::uint64_t generation = 0;     ///< of credentials: grows with close_idle()

    /// What is made of an answer: all of it, or its head and a stream.
    template <class T>
    using Way = Task<Expected<T>> (State::*)(RequestBytes request, Deadline deadline, Phase& phase);

    /// One way, ended by the deadline; an error says the phase and the origin.
    template <class T>
    Task<Expected<T>> bounded(ClientRequest request, Deadline deadline, Way<T> way);
    Task<Expected<ClientResponse>> fetch(RequestBytes request, Deadline deadline, Phase& phase);
    Task<Expected<StreamPtr>> begin(RequestBytes request, Deadline deadline, Phase& phase);
    Task<Expected<ConnectionPtr>> ask(const RequestBytes& request, Deadline deadline, Phase& phase);
    Task<Expected<ClientResponse>> read_whole(ClientConnection& connection) const;

    ConnectionPtr take_idle();
    void keep(ConnectionPtr connection);
};

Client::Client(ClientSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}

Client::~Client() = default;

void Client::close_idle() {
    state_->idle.clear();
    ++state_->generation;
}

Task<Expected<ClientResponse>> Client::send(ClientRequest request, Deadline deadline) {
    return state_->bounded(std::move(request), deadline, &State::fetch);
}

Task<Expected<StreamPtr>> Client::open(ClientRequest request, Deadline deadline) {
    return state_->bounded(std::move(request), deadline, &State::begin);
}

template <class T>
Task<Expected<T>> Client::State::bounded(ClientRequest request, Deadline deadline, Way<T> way) {
    auto bytes = print_request(request, settings);
    if (!bytes) {
        co_return tl::unexpected(std::move(bytes.error()));
    }
    Phase phase = Phase::Connecting;
    auto work = (this->*way)(std::move(*bytes), deadline, phase);
    auto done = co_await async::with_deadline(std::move(work), deadline);
    if (!done) {
        if (phase == Phase::Asking) {
            // A break that nobody announces: each other connection would cost a deadline, too.
            idle.clear();
        }
        co_return annotate(past_deadline(), phase, origin);
    }
    if (!*done) {
        co_return annotate(std::move(done->error()), phase, origin);
    }
    co_return std::move(*done);
}

Task<Expected<ClientResponse>> Client::State::fetch(RequestBytes request, Deadline deadline,
                                                    Phase& phase) {
    const std::uint64_t begun_in = generation;
    auto connection = co_await ask(request, deadline, phase);
    if (!connection) {
        co_return tl::unexpected(std::move(connection.error()));
    }
    auto response = co_await read_whole(**connection);
    if (response && begun_in == generation) {
        keep(std::move(*connection));
    }
    co_return response;
}

Task<Expected<StreamPtr>> Client::State::begin(RequestBytes request, Deadline deadline,
                                               Phase& phase) {
    auto connection = co_await ask(request, deadline, phase);
    if (!connection) {
        co_return tl::unexpected(std::move(connection.error()));
    }
    co_return make_stream(std::move(*connection), origin);
}

/// A connection with the head of the answer read.
Task<Expected<ConnectionPtr>> Client::State::ask(const RequestBytes& request, Deadline deadline,
                                                 Phase& phase) {
    if (auto pooled = take_idle()) {
        auto asked = co_await pooled->ask(request, phase);
        if (asked) {
            co_return std::move(pooled);
        }
        // Else the server closed it while the request was on its way (RFC 9112 9.3.1).
        if (pooled->heard()) {
            co_return tl::unexpected(std::move(asked.error()));
        }
    }
    auto transport = co_await connect(settings, deadline, phase);
    if (!transport) {
        co_return tl::unexpected(std::move(transport.error()));
    }
    auto fresh = std::make_unique<ClientConnection>(std::move(*transport), settings.max_head_bytes);
    auto asked = co_await fresh->ask(request, phase);
    if (!asked) {
        co_return tl::unexpected(std::move(asked.error()));
    }
    co_return std::move(fresh);
}

Task<Expected<ClientResponse>> Client::State::read_whole(ClientConnection& connection) const {
    const auto too_large = [this] {
        return fail(Code::TooLarge,
                    fmt::format("its body is larger than {} bytes", settings.max_body_bytes));
    };
    ClientResponse response = connection.head();
    const auto length = connection.content_length().value_or(0);
    if (length > settings.max_body_bytes) {
        co_return too_large();
    }
    response.body.reserve(static_cast<std::size_t>(length) + json::Document::kPadding);
    for (;;) {
        const auto piece = co_await connection.read_piece();
        if (!piece) {
            co_return tl::unexpected(piece.error());
        }
        if (piece->empty()) {
            break;
        }
        if (piece->size() > settings.max_body_bytes - response.body.size()) {
            co_return too_large();
        }
        response.body += *piece;
    }
    response.body.reserve(response.body.size() + json::Document::kPadding);
    co_return std::move(response);
}

/// Null when there is none that can be used.
ConnectionPtr Client::State::take_idle() {
    while (!idle.empty()) {
        ConnectionPtr last = std::move(idle.back());
        idle.pop_back();
        if (last->is_reusable()) {
            return last;
        }
    }
    return nullptr;
}

void Client::State::keep(ConnectionPtr connection) {
    if (!connection->is_reusable() || settings.max_idle_connections == 0) {
        return;
    }
    if (idle.size() == settings.max_idle_connections) {
        idle.erase(idle.begin());
    }
    idle.push_back(std::move(connection));
}

}  // namespace smw::http
