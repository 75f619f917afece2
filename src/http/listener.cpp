#include "smw/http/listener.hpp"

#include "http/acceptor.hpp"
#include "http/connection.hpp"
#include "http/connection_table.hpp"
#include "smw/async/sleep.hpp"
#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <stdexcept>

namespace smw::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// After an accept that failed for want of descriptors or memory.
constexpr std::chrono::milliseconds kAcceptPause{50};
/// Between two lines about it.
constexpr std::chrono::seconds kAcceptQuiet{10};
/// For tasks to end after their connections were cut.
constexpr std::chrono::seconds kCutGrace{2};

}  // namespace

/// One shard's share of the connections.
struct Lane {
    Lane(async::Shard& on, const log::Logger& logger)
        : shard(on), tasks(on.executor(), [logger](std::exception_ptr error) {
              const std::string what = describe_thrown(error);
              logger.error("Defect in a connection", {{"what", what}});
          }) {}

    async::Shard& shard;
    std::list<std::shared_ptr<Connection>> connections;
    async::TaskGroup tasks;
};

/// Shared with the coroutines, so that it outlives those that a stop could not end.
struct Listener::State : std::enable_shared_from_this<Listener::State> {
    State(ListenerSettings chosen, std::vector<async::Shard*> shards, Service& service,
          log::Logger log)
        : settings(std::move(chosen)),
          logger(log),
          shared(settings.limits, service, std::move(log)),
          acceptor(shards.front()->executor()),
          room(shards.front()->executor()) {
        for (async::Shard* shard : shards) {
            lanes.push_back(std::make_unique<Lane>(*shard, logger));
        }
    }

    Task<void> accept_loop(std::shared_ptr<State> self);
    error_code accept_one();
    void close_acceptor();
    Task<void> wait_for_room();
    std::shared_ptr<Connection> ask_longest_idle();
    Task<void> wait_for_signal();
    void signal_room();
    void take_or_say_why(tcp::socket socket, Lane& lane);
    void take(tcp::socket socket, Lane& lane);
    Task<void> run_connection(std::shared_ptr<State> self, ConnectionTable::Place place,
                              Lane& lane);
    Task<void> sweep(std::shared_ptr<State> self, Lane& lane);
    void count_handshakes(metrics::Registry& metrics);
    void end_tasks();
    static Task<bool> end_lane(Lane& lane, Deadline deadline);

    ListenerSettings settings;
    log::Logger logger;
    Shared shared;
    ConnectionTable table;
    tcp::acceptor acceptor;
    std::size_t next_lane = 0;  ///< the acceptor's thread
    asio::steady_timer room;    ///< cancelled when a connection ends or becomes idle
    std::atomic<bool> waits_for_room{false};
    std::vector<std::unique_ptr<Lane>> lanes;
    tcp::endpoint bound;
};

Listener::Listener(ListenerSettings settings, std::vector<async::Shard*> shards, Service& service,
                   log::Logger logger, metrics::Registry& metrics)
    : state_(std::make_shared<State>(std::move(settings), std::move(shards), service,
                                     std::move(logger))) {
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

Task<void> Listener::State::accept_loop(std::shared_ptr<State> self) {
    TimePoint quiet_until{};
    while (self->acceptor.is_open()) {
        error_code error;
        co_await acceptor.async_wait(tcp::acceptor::wait_read,
                                     asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            co_await wait_for_room();
        }
        if (!acceptor.is_open()) {
            break;
        }
        error = accept_one();
        if (error && error != asio::error::would_block && error != asio::error::try_again &&
            error != asio::error::connection_aborted) {
            if (const auto now = std::chrono::steady_clock::now(); now >= quiet_until) {
                quiet_until = now + kAcceptQuiet;
                logger.warn("A connection could not be accepted",
                            {{"listener", settings.name}, {"why", error.message()}});
            }
            co_await async::sleep(kAcceptPause);
        }
    }
}

error_code Listener::State::accept_one() {
    Lane& lane = *lanes[next_lane];
    tcp::socket socket{lane.shard.executor()};
    error_code error;
    acceptor.accept(socket, error);
    if (!error) {
        next_lane = (next_lane + 1) % lanes.size();
        take_or_say_why(std::move(socket), lane);
    }
    return error;
}

/// Whoever has connected waits for an answer: closing would reset those not accepted yet. With no
/// room left it does.
void Listener::State::close_acceptor() {
    for (int left = tcp::acceptor::max_listen_connections;
         left > 0 && table.size() < settings.limits.max_connections; --left) {
        const auto error = accept_one();
        if (error && error != asio::error::connection_aborted) {
            break;
        }
    }
    error_code ignored;
    acceptor.close(ignored);
    room.cancel();
}

/// Until there is room for one more: the longest idle connection makes it, else the next to end.
/// One is asked at a time.
Task<void> Listener::State::wait_for_room() {
    std::weak_ptr<Connection> asked;
    while (acceptor.is_open() && table.size() >= settings.limits.max_connections) {
        waits_for_room.store(true);
        if (const auto leaving = asked.lock(); !leaving || !leaving->is_leaving()) {
            asked = ask_longest_idle();
        }
        if (table.size() >= settings.limits.max_connections) {
            co_await wait_for_signal();
        }
        waits_for_room.store(false);
    }
}

/// Null when there is none to ask.
std::shared_ptr<Connection> Listener::State::ask_longest_idle() {
    auto idle = table.longest_idle();
    if (idle) {
        asio::post(idle->executor(), [self = shared_from_this(), idle] {
            if (!idle->close_if_idle()) {
                self->signal_room();
            }
        });
    }
    return idle;
}

Task<void> Listener::State::wait_for_signal() {
    room.expires_at(TimePoint::max());
    error_code ignored;
    co_await room.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// Any thread.
void Listener::State::signal_room() {
    if (waits_for_room.load()) {
        asio::post(room.get_executor(), [self = shared_from_this()] { self->room.cancel(); });
    }
}

/// One connection that cannot be had must not end the accepting of all others.
void Listener::State::take_or_say_why(tcp::socket socket, Lane& lane) {
    try {
        take(std::move(socket), lane);
    } catch (...) {
        const std::string what = describe_thrown(std::current_exception());
        logger.error("A connection was dropped", {{"listener", settings.name}, {"why", what}});
    }
}

void Listener::State::take(tcp::socket socket, Lane& lane) {
    std::shared_ptr<const tls::ServerContext> context;
    if (settings.tls != nullptr) {
        context = settings.tls->load();
        if (!context) {
            return;  // no certificate yet: not ready, and /readyz says why
        }
    }
    const auto connection = std::make_shared<Connection>(std::move(socket), context.get(), shared);
    const auto place = table.add(connection);
    asio::post(lane.shard.executor(), [self = shared_from_this(), place, &lane] {
        lane.tasks.spawn(self->run_connection(self, place, lane));
    });
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
