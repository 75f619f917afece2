#pragma once
// One connection on its shard: handshake, then request after request, then a close that the peer
// can understand. Every wait has a deadline, kept by the lane's sweep and not by timers of its own.

#include "http/byte_budget.hpp"
#include "http/head.hpp"
#include "http/limits_reached.hpp"
#include "http/transport.hpp"
#include "smw/http/listener.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace smw::http {

/// Start line and headers, and the same again for chunk heads and trailers.
inline constexpr std::size_t kMaxHeadBytes = std::size_t{16} << 10;
/// A TLS record carries at most this much.
inline constexpr std::size_t kReadBytes = std::size_t{16} << 10;

/// What the connections of a listener share. Outlives them.
struct Shared {
    Shared(const Limits& bounds, Service& answers, log::Logger log, LimitsReached& counted)
        : limits(bounds),
          service(answers),
          logger(std::move(log)),
          reached(counted),
          budget(bounds.max_bytes_in_flight) {}

    const Limits limits;
    Service& service;
    const tls::Callers* callers = nullptr;  ///< null: whoever connects may ask
    log::Logger logger;
    LimitsReached& reached;
    ByteBudget budget;
    std::atomic<bool> closing{false};  ///< each answer says Connection: close
    std::atomic<bool> stopping{
        false};  ///< nobody waits for another request, but newcomers for their first
    /// Hears when a connection becomes idle, or stays although it was asked to leave. Any shard's
    /// thread.
    std::function<void()> on_idle;
    /// Counts a handshake: TLS version, and whether it succeeded.
    std::function<void(std::string_view version, bool ok)> on_handshake;
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(boost::asio::ip::tcp::socket socket, const tls::ServerContext* context,
               Shared& shared);

    /// The whole life, on the socket's executor.
    Task<void> run();

    [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }

    /// Steady-clock nanoseconds since when no byte of a request is unanswered, from the handshake
    /// on; 0 while busy. Any thread. Sequentially consistent together with the acceptor's flag:
    /// either it sees a connection become idle, or the connection sees that it waits.
    [[nodiscard]] std::int64_t idle_since() const { return idle_since_.load(); }
    /// Whether it is on its way out to make room. Any thread.
    [[nodiscard]] bool is_leaving() const { return leaving_.load(); }

    // The rest on the connection's own thread.

    /// Ends the pending wait when its time is up.
    void sweep(TimePoint now);
    /// False when a request has begun to arrive meanwhile.
    bool close_if_idle();
    /// The same at a stop, which leaves newcomers their time.
    void end_when_idle();
    /// At once, without a word.
    void cut() { transport_.close(); }

private:
    friend class ConnectionExchange;
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    /// What a phase does when its time is up: a read can still be answered, a write cannot.
    enum class OnExpiry { Cancel, Close };
    void arm(Duration span, OnExpiry on_expiry = OnExpiry::Cancel);
    void arm(Deadline deadline);
    void disarm() { deadline_ = TimePoint::max(); }

    Task<bool> shake_hands();
    /// For the next byte, `span` when not stopping.
    void arm_wait(Duration span);
    void become_idle();
    void become_busy(bool outlived);
    Task<bool> serve_one();
    Task<bool> wait_for_request();
    bool skip_empty_line();
    Task<std::optional<Refusal>> read_head();
    Task<Response> ask_service(RequestHead head);
    Task<bool> refuse(Refusal refusal);
    Task<bool> answer(const Response& response, bool keep_alive);
    Task<error_code> fill();

    Task<Expected<std::string>> read_body(Deadline deadline);
    Task<Expected<void>> read_sized_body(std::string& body);
    Task<Expected<void>> read_chunked_body(std::string& body);
    /// False: the caller must come again and be judged afresh, for it was refused, another CA is in
    /// force or its certificate has expired.
    [[nodiscard]] bool caller_stands() const {
        return shared_.callers == nullptr ||
               shared_.callers->stands(caller_, std::chrono::system_clock::now());
    }
    Expected<void> reserve_first();
    Expected<void> reserve(std::size_t bytes);
    void release_reservation();
    [[nodiscard]] Error too_large();
    [[nodiscard]] Error too_many();
    [[nodiscard]] Error read_error(error_code error);

    Shared& shared_;
    boost::asio::any_io_executor executor_;
    Transport transport_;
    boost::beast::flat_buffer buffer_;
    std::string out_;
    std::string spare_;  ///< memory for the next body
    tls::CallerStanding caller_;
    std::atomic<std::int64_t> idle_since_{0};
    TimePoint deadline_ = TimePoint::max();
    OnExpiry on_expiry_ = OnExpiry::Cancel;
    bool expired_ = false;
    TimePoint newcomer_until_;  ///< the past once a request has begun
    std::atomic<bool> leaving_{false};

    // Of the request being served.
    std::optional<Parser> parser_;
    Framing framing_;
    bool body_done_ = true;
    bool peer_gone_ = false;
    bool head_request_ = false;
    std::size_t reserved_ = 0;
};

}  // namespace smw::http
