#include "smw/http/listener.hpp"

#include "http/acceptor.hpp"
#include "http/listener_state.hpp"
#include "smw/async/sleep.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include <future>
#include <stdexcept>

namespace smw::http {

namespace asio = boost::asio;

namespace {

/// For tasks to end after their connections were cut.
constexpr std::chrono::seconds kCutGrace{2};

}  // namespace

Listener::State::State(ListenerSettings chosen, std::vector<async::Shard*> shards, Service& service,
                       log::Logger log, metrics::Registry& metrics)
    : settings(std::move(chosen)),
      logger(log),
      reached(settings.name, log, metrics),
      shared(settings.limits, service, std::move(log), reached),
      acceptor(shards.front()->executor()),
      room(shards.front()->executor()) {
    for (async::Shard* shard : shards) {
        lanes.push_back(std::make_unique<Lane>(*shard, logger));
    }
}

Listener::Listener(ListenerSettings settings, std::vector<async::Shard*> shards, Service& service,
                   log::Logger logger, metrics::Registry& metrics)
    : state_(std::make_shared<State>(std::move(settings), std::move(shards), service,
                                     std::move(logger), metrics)) {
    State& state = *state_;
    if (state.settings.callers != nullptr && state.settings.tls == nullptr) {
        throw std::logic_error("callers show certificates over TLS only");
    }
    state.shared.callers = state.settings.callers;
    state.shared.on_idle = [&state] {
        state.signal_room();
    };
    state.shared.on_handshake = [](std::string_view, bool) {
    };
    if (state.settings.tls != nullptr) {
        state.count_handshakes(metrics);
    }
    const auto connections =
        metrics.gauge({"smw_connections", "Open connections, by listener.", {"listener"}})
            .with({state.settings.name});
    metrics.on_collect([weak = std::weak_ptr{state_}, connections] {
        if (const auto alive = weak.lock()) {
            connections.set(static_cast<double>(alive->table.size()));
        }
    });
}

Listener::~Listener() = default;

void Listener::State::count_handshakes(metrics::Registry& metrics) {
    const auto family = metrics.counter({"smw_tls_handshakes_total",
                                         "TLS handshakes, by version and result.",
                                         {"version", "result"}});
    struct PerVersion {
        metrics::Counter ok;
        metrics::Counter failed;
    };
    const auto both = [&family](std::string_view version) {
        return PerVersion{family.with({version, "ok"}), family.with({version, "failed"})};
    };
    shared.on_handshake = [tls13 = both("TLSv1.3"), tls12 = both("TLSv1.2"), none = both("none")](
                              std::string_view version, bool ok) {
        const auto& counters = version == "TLSv1.3" ? tls13 : version == "TLSv1.2" ? tls12 : none;
        (ok ? counters.ok : counters.failed).increment();
    };
}

Expected<void> Listener::bind() {
    State& state = *state_;
    const auto& settings = state.settings;
    if (const auto error = listen_on(state.acceptor, settings.address, settings.port)) {
        return fail(Code::Unavailable,
                    fmt::format("listening for {} on {}:{}: {}", settings.name,
                                print_host(settings.address), settings.port, error.message()));
    }
    state.bound = state.acceptor.local_endpoint();
    return {};
}

std::string Listener::address() const {
    return fmt::format("{}:{}", print_host(state_->bound.address().to_string()), port());
}

std::uint16_t Listener::port() const {
    return state_->bound.port();
}

void Listener::start() {
    for (const auto& lane : state_->lanes) {
        asio::post(lane->shard.executor(), [state = state_, lane = lane.get()] {
            lane->tasks.spawn(state->sweep(state, *lane));
            if (lane == state->lanes.front().get()) {
                lane->tasks.spawn(state->accept_loop(state));
            }
        });
    }
}

namespace {

/// However a connection's task ends, it leaves its lane and the table.
template <class Function>
class AtEnd {
public:
    explicit AtEnd(Function function) : function_(std::move(function)) {}
    ~AtEnd() { function_(); }
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;

private:
    Function function_;
};

}  // namespace

Task<void> Listener::State::run_connection(std::shared_ptr<State> self,
                                           ConnectionTable::Place place, Lane& lane) {
    const std::shared_ptr<Connection> connection = *place;
    const auto in_lane = lane.connections.insert(lane.connections.end(), connection);
    auto leave = [&self, &lane, place, in_lane] {
        lane.connections.erase(in_lane);
        self->table.remove(place);
        self->signal_room();
    };
    const AtEnd at_end{std::move(leave)};
    co_await connection->run();
}

Task<void> Listener::State::sweep(std::shared_ptr<State> self, Lane& lane) {
    for (;;) {
        co_await async::sleep(self->settings.limits.sweep);
        const TimePoint now = std::chrono::steady_clock::now();
        for (const auto& connection : lane.connections) {
            connection->sweep(now);
        }
    }
}

void Listener::announce_close() {
    state_->shared.closing.store(true);
}

bool Listener::stop(Deadline deadline) {
    announce_close();
    state_->shared.stopping.store(true);
    // From here on no connection comes into the table any more.
    auto close_acceptor = [state = state_] {
        state->close_acceptor();
    };
    asio::post(state_->room.get_executor(), asio::use_future(std::move(close_acceptor))).wait();
    for (const auto& connection : state_->table.all()) {
        asio::post(connection->executor(), [connection] { connection->end_when_idle(); });
    }
    const bool ended = state_->table.wait_until_empty(deadline);
    for (const auto& connection : state_->table.all()) {
        asio::post(connection->executor(), [connection] { connection->cut(); });
    }
    state_->end_tasks();
    return ended;
}

/// Sweeps and the accept loop, and handlers that were cut off from their callers.
void Listener::State::end_tasks() {
    const Deadline deadline = Deadline::after(kCutGrace);
    std::vector<std::future<bool>> ended;
    ended.reserve(lanes.size());
    for (const auto& lane : lanes) {
        ended.push_back(
            asio::co_spawn(lane->shard.executor(), end_lane(*lane, deadline), asio::use_future));
    }
    for (const auto& future : ended) {
        future.wait();
    }
}

Task<bool> Listener::State::end_lane(Lane& lane, Deadline deadline) {
    lane.tasks.cancel();
    co_return co_await lane.tasks.join(deadline);
}

std::size_t Listener::connections() const {
    return state_->table.size();
}

std::size_t Listener::bytes_in_flight() const {
    return state_->shared.budget.used();
}

}  // namespace smw::http
