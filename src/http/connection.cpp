#include "http/connection.hpp"

#include "http/answer.hpp"
#include "http/connection_exchange.hpp"
#include "smw/async/sleep.hpp"
#include "smw/base/thrown.hpp"
#include "smw/http/router.hpp"
#include "smw/tls/record_flood.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <utility>

namespace smw::http {

namespace beast = boost::beast;
namespace asio = boost::asio;

namespace {

/// The request line, headers, and the empty line. Go's client sends a dozen.
constexpr std::ptrdiff_t kMaxHeadLines = 1 + 128 + 1;

/// Who sends request upon request never waits, so that the others of the shard would.
constexpr std::size_t kServedInATurn = 16;

std::int64_t steady_nanoseconds() {
    const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
    return now.count();
}

/// A header that goes on in the next line (obs-fold): refused, because others read it otherwise
/// (RFC 9112 5.2). Beast takes a header only once it has seen that no further line belongs to it.
bool is_folded(std::string_view taken) {
    return taken.find("\n ") != std::string_view::npos ||
           taken.find("\n\t") != std::string_view::npos;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const tls::ServerContext* context,
                       Shared& shared)
    : shared_(shared),
      executor_(socket.get_executor()),
      transport_(std::move(socket), context, shared.callers),
      newcomer_until_(std::chrono::steady_clock::now() + shared.limits.newcomer) {}

void Connection::arm(Duration span, OnExpiry on_expiry) {
    deadline_ = std::chrono::steady_clock::now() + span;
    on_expiry_ = on_expiry;
    expired_ = false;
}

void Connection::arm(Deadline deadline) {
    deadline_ = deadline.when();
    on_expiry_ = OnExpiry::Cancel;
    expired_ = false;
}

void Connection::sweep(TimePoint now) {
    if (now < deadline_) {
        return;
    }
    // Again at each sweep: what was just being completed could not be cancelled.
    expired_ = true;
    if (on_expiry_ == OnExpiry::Cancel) {
        transport_.cancel();
    } else {
        transport_.close();
    }
}

bool Connection::close_if_idle() {
    if (idle_since() == 0 || transport_.has_unread()) {
        return false;
    }
    leaving_.store(true);
    // Half a TLS record may just have been read: then there is nothing to cancel, and the wait goes
    // on. Each sweep tries again.
    arm(Duration::zero());
    transport_.cancel();
    return true;
}

void Connection::end_when_idle() {
    if (std::chrono::steady_clock::now() >= newcomer_until_) {
        close_if_idle();
    } else if (idle_since() != 0) {
        arm_wait(Duration::zero());
    }
}

void Connection::arm_wait(Duration span) {
    if (shared_.stopping.load()) {
        arm(Deadline::at(newcomer_until_));
    } else {
        arm(span);
    }
}

Task<void> Connection::run() {
    const bool secure = co_await shake_hands();
    std::size_t served = 0;
    for (bool goes_on = secure; goes_on;) {
        goes_on = co_await serve_one();
        if (++served % kServedInATurn == 0) {
            co_await asio::post(executor_, asio::use_awaitable);
        }
    }
    if (transport_.session() != nullptr && tls::is_flooded(transport_.session())) {
        shared_.reached.note(Limit::KeyRenewals);
    }
    // Reads what the peer is still sending, so that the close does not reset an answer away. Who
    // makes room, or has been silent for too long, gets no such time.
    const bool silent = expired_ && (!secure || shared_.stopping.load());
    const bool at_once = leaving_.load() || silent;
    arm(at_once ? shared_.limits.sweep : shared_.limits.drop);
    co_await transport_.shutdown(at_once ? 0 : shared_.limits.drop_bytes);
}

Task<bool> Connection::shake_hands() {
    arm_wait(shared_.limits.handshake);
    become_idle();
    const error_code failed = co_await transport_.handshake();
    become_busy(!failed);
    shared_.on_handshake(transport_.tls_version(), !failed);
    if (failed && expired_ && !leaving_.load() && !shared_.stopping.load()) {
        shared_.reached.note(Limit::HandshakeTime);
    }
    if (failed) {
        shared_.logger.debug("TLS handshake failed", {{"why", failed.message()}});
    } else if (shared_.callers != nullptr) {
        caller_ = shared_.callers->hear(transport_.session(), std::chrono::steady_clock::now());
    }
    co_return !failed;
}

void Connection::become_idle() {
    idle_since_.store(steady_nanoseconds());
    shared_.on_idle();
}

/// `outlived`: what was waited for came before a request to leave could end the wait, so that
/// somebody else must make room.
void Connection::become_busy(bool outlived) {
    idle_since_.store(0);
    if (outlived && leaving_.exchange(false)) {
        shared_.on_idle();
    }
}

/// Whether the connection goes on.
Task<bool> Connection::serve_one() {
    const bool arriving = co_await wait_for_request();
    if (!arriving) {
        co_return false;
    }
    arm(shared_.limits.head);
    parser_.emplace();
    parser_->header_limit(kMaxHeadBytes);
    parser_->body_limit(boost::none);
    framing_ = {};
    body_done_ = false;
    head_request_ = false;
    const auto refusal = co_await read_head();
    disarm();
    if (peer_gone_) {
        co_return false;
    }
    if (refusal) {
        co_return co_await refuse(*refusal);
    }
    RequestHead head = describe(parser_->get(), std::chrono::steady_clock::now());
    head.caller_refused = caller_.refused;
    head_request_ = head.method == "HEAD";
    body_done_ = !framing_.chunked && framing_.content_length == 0;
    const Response response = co_await ask_service(head);
    if (peer_gone_) {
        co_return false;
    }
    const bool keep_alive = framing_.keep_alive && body_done_ && caller_stands() &&
                            !shared_.closing.load(std::memory_order_relaxed);
    co_return co_await answer(response, keep_alive);
}

/// Whether a byte of a request has come before the idle time was over.
Task<bool> Connection::wait_for_request() {
    if (buffer_.size() > 0) {
        co_return true;
    }
    arm_wait(shared_.limits.idle);
    become_idle();
    const error_code error = co_await fill();
    newcomer_until_ = TimePoint::min();
    become_busy(!error);
    co_return !error;
}

Task<error_code> Connection::fill() {
    error_code error;
    auto space = buffer_.prepare(kReadBytes);
    const std::size_t count = co_await transport_.read_some(space, error);
    buffer_.commit(count);
    co_return error;
}

/// An empty line before a request is skipped (RFC 9112 2.2). Whether the first byte is there.
bool Connection::skip_empty_line() {
    const std::string_view here{static_cast<const char*>(buffer_.data().data()), buffer_.size()};
    if (here.starts_with("\r\n")) {
        buffer_.consume(2);
    }
    return buffer_.size() > 0 && here != "\r";
}

Task<std::optional<Refusal>> Connection::read_head() {
    // Beast's limit is one for each put(): this is the one for the whole head.
    constexpr Refusal kTooLong{431, "the head of the request is longer than 16 KiB"};
    constexpr Refusal kTooMany{431, "the head of the request has more than 128 headers"};
    std::size_t taken = 0;
    std::ptrdiff_t lines = 0;
    while (!parser_->is_header_done()) {
        error_code error;
        std::size_t used = 0;
        if (taken > 0 || skip_empty_line()) {
            used = parser_->put(buffer_.data(), error);
        }
        const std::string_view read{static_cast<const char*>(buffer_.data().data()), used};
        const bool folded = is_folded(read);
        lines += std::count(read.begin(), read.end(), '\n');
        buffer_.consume(used);
        taken += used;
        const std::size_t arrived = taken + (parser_->is_header_done() ? 0 : buffer_.size());
        if (folded) {
            co_return Refusal{400, "a header of the request is folded"};
        }
        if (arrived > kMaxHeadBytes) {
            co_return kTooLong;
        }
        if (lines > kMaxHeadLines) {
            co_return kTooMany;
        }
        if (error == beast::http::error::need_more || (!error && !parser_->is_header_done())) {
            error = co_await fill();
            if (error && expired_) {
                co_return Refusal{408, "the head of the request took too long to arrive"};
            }
            if (error) {
                peer_gone_ = true;
                co_return std::nullopt;
            }
        } else if (error == beast::http::error::header_limit) {
            co_return kTooLong;
        } else if (error) {
            co_return Refusal{400, "the head of the request is malformed"};
        }
    }
    co_return read_framing(parser_->get(), framing_);
}

Task<Response> Connection::ask_service(RequestHead head) {
    ConnectionExchange exchange{*this, head};
    std::exception_ptr thrown;
    try {
        co_return co_await shared_.service.serve(exchange);
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await async::throw_if_cancelled();  // cut by a stop: no defect, and nobody to answer
    const std::string what = describe_thrown(thrown);
    shared_.logger.error("Defect while answering a request", {{"what", what}});
    co_return status_response(500, "a defect in this server; its log says more");
}

Task<bool> Connection::refuse(Refusal refusal) {
    if (refusal.status == 408) {
        shared_.reached.note(Limit::HeadTime);
    } else if (refusal.status == 431) {
        shared_.reached.note(Limit::HeadBytes);
    }
    const Response response = status_response(refusal.status, refusal.why);
    body_done_ = false;
    co_return co_await answer(response, false);
}

/// Whether the connection goes on.
Task<bool> Connection::answer(const Response& response, bool keep_alive) {
    parser_.reset();  // headers take more memory than their text
    out_.clear();
    append_answer(out_, response, {keep_alive, framing_.http_1_0, head_request_});
    arm(shared_.limits.write, OnExpiry::Close);
    const error_code error = co_await transport_.write(out_);
    if (error && expired_) {
        shared_.reached.note(Limit::AnswerTime);
    }
    disarm();
    if (out_.capacity() > kMaxSpareBytes) {
        out_ = std::string{};
    }
    co_return !error && keep_alive;
}

}  // namespace smw::http
