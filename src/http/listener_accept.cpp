// Newcomers: accepting them, and making room for them.

#include "http/listener_state.hpp"
#include "smw/async/sleep.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace smw::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// After an accept that failed: what was missing may be there then.
constexpr std::chrono::milliseconds kAcceptPause{50};

/// Newcomers of a burst that do not wait for the requests of a turn each.
constexpr int kAcceptedInATurn = 16;

bool is_want_of_resources(error_code error) {
    return error == asio::error::no_descriptors || error == asio::error::no_memory ||
           error == asio::error::no_buffer_space ||
           error == boost::system::errc::too_many_files_open_in_system;
}

/// The newcomer has gone already, or somebody else took it.
bool is_nothing(error_code error) {
    return error == asio::error::would_block || error == asio::error::try_again ||
           error == asio::error::connection_aborted;
}

}  // namespace

Task<void> Listener::State::accept_loop(std::shared_ptr<State> self) {
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
        error = accept_some();
        if (error && !is_nothing(error)) {
            say_why_not(error);
            co_await async::sleep(kAcceptPause);
        }
    }
}

/// One, for which there is room, and those that wait with it. Only the first is known to be there:
/// without a descriptor left Linux says so, too, where nobody waits.
error_code Listener::State::accept_some() {
    const error_code error = accept_one();
    error_code last = error;
    for (int left = kAcceptedInATurn - 1;
         !last && left > 0 && table.size() < settings.limits.max_connections; --left) {
        last = accept_one();
    }
    return error;
}

/// With nothing left to accept with, a connection in use is not touched: an idle one ends.
void Listener::State::say_why_not(error_code error) {
    if (is_want_of_resources(error)) {
        reached.note(Limit::Descriptors);
        ask_unless_leaving(asked_for_descriptors);
    } else if (failure_line.pass()) {
        logger.warn("A connection could not be accepted",
                    {{"listener", settings.name}, {"why", error.message()}});
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
Task<void> Listener::State::wait_for_room() {
    if (table.size() >= settings.limits.max_connections) {
        reached.note(Limit::Connections);
    }
    std::weak_ptr<Connection> asked;
    TimePoint ask_again = TimePoint::min();
    while (acceptor.is_open() && table.size() >= settings.limits.max_connections) {
        waits_for_room.store(true);
        // Before that time nobody has been idle for long enough, whatever happens.
        if (ask_again == TimePoint::max() || ask_again <= std::chrono::steady_clock::now()) {
            ask_again = ask_unless_leaving(asked);
        }
        if (table.size() >= settings.limits.max_connections) {
            co_await wait_for_signal(ask_again);
        }
        waits_for_room.store(false);
    }
}

/// Asks the longest idle connection, one at a time: `asked` is the last. Returns when to ask again
/// although nothing has happened.
TimePoint Listener::State::ask_unless_leaving(std::weak_ptr<Connection>& asked) {
    if (const auto leaving = asked.lock(); leaving && leaving->is_leaving()) {
        return TimePoint::max();
    }
    const auto idle = table.longest_idle();
    if (!idle) {
        return TimePoint::max();
    }
    const TimePoint least =
        TimePoint{std::chrono::nanoseconds{idle->idle_since()}} + settings.limits.least_idle;
    if (std::chrono::steady_clock::now() < least) {
        return least;
    }
    ask(idle);
    asked = idle;
    return TimePoint::max();
}

void Listener::State::ask(const std::shared_ptr<Connection>& idle) {
    asio::post(idle->executor(), [self = shared_from_this(), idle] {
        if (!idle->close_if_idle()) {
            self->signal_room();
        }
    });
}

Task<void> Listener::State::wait_for_signal(TimePoint until) {
    room.expires_at(until);
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

}  // namespace smw::http
