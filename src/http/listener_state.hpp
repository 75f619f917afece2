#pragma once
// What a Listener consists of: listener.cpp starts and ends it, listener_accept.cpp takes
// newcomers.

#include "http/connection.hpp"
#include "http/connection_table.hpp"
#include "http/limits_reached.hpp"
#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"
#include "smw/http/listener.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

namespace smw::http {

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
          log::Logger log, metrics::Registry& metrics);

    Task<void> accept_loop(std::shared_ptr<State> self);
    error_code accept_some();
    error_code accept_one();
    void say_why_not(error_code error);
    void close_acceptor();
    Task<void> wait_for_room();
    TimePoint ask_unless_leaving(std::weak_ptr<Connection>& asked);
    void ask(const std::shared_ptr<Connection>& idle);
    Task<void> wait_for_signal(TimePoint until);
    void signal_room();
    void take_or_say_why(boost::asio::ip::tcp::socket socket, Lane& lane);
    void take(boost::asio::ip::tcp::socket socket, Lane& lane);
    Task<void> run_connection(std::shared_ptr<State> self, ConnectionTable::Place place,
                              Lane& lane);
    Task<void> sweep(std::shared_ptr<State> self, Lane& lane);
    void count_handshakes(metrics::Registry& metrics);
    void end_tasks();
    static Task<bool> end_lane(Lane& lane, Deadline deadline);

    ListenerSettings settings;
    log::Logger logger;
    LimitsReached reached;
    Shared shared;
    ConnectionTable table;
    boost::asio::ip::tcp::acceptor acceptor;
    std::size_t next_lane = 0;  ///< the acceptor's thread, as the next two
    std::weak_ptr<Connection> asked_for_descriptors;
    OnceASecond failure_line;
    boost::asio::steady_timer room;  ///< cancelled when a connection ends or becomes idle
    std::atomic<bool> waits_for_room{false};
    std::vector<std::unique_ptr<Lane>> lanes;
    boost::asio::ip::tcp::endpoint bound;
};

}  // namespace smw::http
