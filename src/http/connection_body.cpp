// The body of a request: read within its limits, and reserved as it arrives (decision 15).

#include "http/connection.hpp"
#include "smw/json/document.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <utility>

namespace smw::http {

namespace beast = boost::beast;
namespace asio = boost::asio;

namespace {

/// No chunked body is shorter ("0\r\n\r\n"), and Beast 1.81 asserts that it never resumes with
/// less.
constexpr std::size_t kMinChunkedBytes = 5;

/// Reserved before a byte has come, in one step: most reviews are shorter.
constexpr std::size_t kFirstBytes = std::size_t{16} << 10;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// Memory for exactly so much: std::string would double what it has.
void enlarge(std::string& body, std::size_t capacity) {
    if (body.capacity() < capacity) {
        std::string larger;
        larger.reserve(capacity);
        larger.append(body);
        body = std::move(larger);
    }
}

}  // namespace

Task<Expected<std::string>> Connection::read_body(Deadline deadline) {
    std::string body = std::move(spare_);
    body.clear();
    if (body_done_) {
        co_return body;
    }
    if (auto reserved = reserve_first(); !reserved) {
        co_return tl::unexpected(reserved.error());
    }
    if (framing_.expects_continue && buffer_.size() == 0) {
        arm(shared_.limits.write, OnExpiry::Close);
        const error_code error = co_await transport_.write(kContinue);
        if (error) {
            co_return tl::unexpected(read_error(error));
        }
    }
    arm(Deadline::after(shared_.limits.body).nearer(deadline));
    Expected<void> read;
    if (framing_.chunked) {
        read = co_await read_chunked_body(body);
    } else {
        read = co_await read_sized_body(body);
    }
    disarm();
    if (!read) {
        peer_gone_ = read.error().code == Code::Cancelled;
        co_return tl::unexpected(read.error());
    }
    body_done_ = true;
    co_return body;
}

/// Past Beast: straight into the body, for there is nothing to parse.
Task<Expected<void>> Connection::read_sized_body(std::string& body) {
    const auto length = static_cast<std::size_t>(framing_.content_length);
    while (body.size() < length) {
        const std::size_t have = body.size();
        if (have == reserved_) {
            if (auto reserved = reserve(std::min(length - have, have)); !reserved) {
                co_return reserved;
            }
        }
        enlarge(body, reserved_ + json::Document::kPadding);
        const std::size_t room = std::min(reserved_ - have, kReadBytes);
        const std::size_t here = std::min(room, buffer_.size());
        if (here > 0) {
            body.append(static_cast<const char*>(buffer_.data().data()), here);
            buffer_.consume(here);
            continue;
        }
        body.resize(have + room);
        error_code error;
        const auto space = asio::buffer(body.data() + have, room);
        const std::size_t count = co_await transport_.read_some(space, error);
        body.resize(have + count);
        if (error) {
            co_return tl::unexpected(read_error(error));
        }
    }
    co_return Expected<void>{};
}

Task<Expected<void>> Connection::read_chunked_body(std::string& body) {
    parser_->body_limit(shared_.limits.max_body_bytes);
    bool begun = false;
    while (!parser_->is_done()) {
        error_code error;
        begun = begun || buffer_.size() >= kMinChunkedBytes;
        const std::size_t used = begun ? parser_->put(buffer_.data(), error) : 0;
        buffer_.consume(used);
        if (error == beast::http::error::body_limit) {
            co_return tl::unexpected(too_large());
        }
        const bool needs_more = error == beast::http::error::need_more || (!error && used == 0);
        if ((error && !needs_more) || (needs_more && buffer_.size() > kMaxHeadBytes)) {
            co_return fail(Code::BadRequest, "a chunk of the body is malformed");
        }
        const std::size_t size = parser_->get().body().size();
        if (auto reserved = reserve(size - reserved_); !reserved) {
            co_return reserved;
        }
        if (needs_more && !parser_->is_done()) {
            error = co_await fill();
            // Extensions of tiny chunks may come without end, and without a pause to cancel.
            if (error || expired_) {
                co_return tl::unexpected(read_error(error));
            }
        }
    }
    body = std::move(parser_->get().body());
    body.reserve(body.size() + json::Document::kPadding);
    co_return Expected<void>{};
}

/// Before a byte of the body is read. A long body that would not fit is not begun.
Expected<void> Connection::reserve_first() {
    if (framing_.chunked) {
        return {};
    }
    if (framing_.content_length > shared_.limits.max_body_bytes) {
        return tl::unexpected(too_large());
    }
    const auto length = static_cast<std::size_t>(framing_.content_length);
    if (length > kFirstBytes && !shared_.budget.has_room_for(length)) {
        return tl::unexpected(too_many());
    }
    return reserve(std::min(length, kFirstBytes));
}

Expected<void> Connection::reserve(std::size_t bytes) {
    if (bytes > 0 && !shared_.budget.reserve(bytes, reserved_)) {
        return tl::unexpected(too_many());
    }
    reserved_ += bytes;
    return {};
}

void Connection::release_reservation() {
    shared_.budget.release(std::exchange(reserved_, 0));
}

Error Connection::too_large() {
    shared_.reached.note(Limit::BodyBytes);
    return {Code::TooLarge, "the body is larger than --max-body-bytes"};
}

Error Connection::too_many() {
    shared_.reached.note(Limit::BytesInFlight);
    return {Code::Unavailable,
            "too many bytes of requests in flight (--max-bytes-in-flight); call again"};
}

Error Connection::read_error(error_code error) {
    if (expired_) {
        shared_.reached.note(Limit::BodyTime);
        return {Code::DeadlineExceeded, "the body of the request took too long to arrive"};
    }
    return {Code::Cancelled, "the caller went away: " + error.message()};
}

}  // namespace smw::http
