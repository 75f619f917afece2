#include "http/client_connection.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace smw::http {

namespace beast = boost::beast;
namespace field = beast::http;

namespace {

/// A TLS record carries at most this much.
constexpr std::size_t kReadBytes = std::size_t{16} << 10;
/// The size of a chunk with its extensions, or the trailers.
constexpr std::size_t kMaxChunkHeadBytes = std::size_t{16} << 10;
/// No chunked body is shorter ("0\r\n\r\n"), and Beast 1.81 asserts that it never resumes with
/// less.
constexpr std::size_t kMinChunkedBytes = 5;

std::string to_string(beast::string_view text) {
    return {text.data(), text.size()};
}

Error no_http(const error_code& error) {
    return {Code::Unavailable, "this is no HTTP: " + error.message()};
}

bool needs_more(const error_code& error) {
    return error == field::error::need_more;
}

}  // namespace

Task<Expected<void>> ClientConnection::ask(const RequestBytes& request, Phase& phase) {
    phase = Phase::Asking;
    heard_ = false;
    head_bytes_ = 0;
    body_begun_ = false;
    // What fails here may have been explained already: the answer is read all the same.
    const error_code unsent = co_await transport_->write(request.text);
    for (bool interim = true; interim;) {
        parser_.emplace();
        parser_->header_limit(std::numeric_limits<std::uint32_t>::max());
        parser_->body_limit(boost::none);
        parser_->skip(!request.answer_has_body);
        auto read = co_await read_head();
        phase = heard_ ? Phase::Reading : Phase::Asking;
        if (!read) {
            const bool silent = !heard_ && unsent;
            co_return silent ? tl::unexpected(silence(unsent)) : std::move(read);
        }
        // RFC 9110 15.2: any number of them may come before the answer.
        interim = parser_->get().result_int() < 200;
    }
    co_return judge_head();
}

Task<Expected<void>> ClientConnection::read_head() {
    for (;;) {
        const auto done = parse_head();
        if (!done) {
            co_return tl::unexpected(done.error());
        }
        if (*done) {
            co_return Expected<void>{};
        }
        const error_code error = co_await fill();
        if (error) {
            co_return tl::unexpected(silence(error));
        }
    }
}

Task<error_code> ClientConnection::fill() {
    error_code error;
    const auto space = buffer_.prepare(kReadBytes);
    const std::size_t count = co_await transport_->read_some(space, error);
    buffer_.commit(count);
    heard_ = heard_ || count > 0;
    co_return error;
}

/// Whether it is complete.
Expected<bool> ClientConnection::parse_head() {
    while (!parser_->is_header_done() && buffer_.size() > 0) {
        error_code error;
        const std::size_t used = parser_->put(buffer_.data(), error);
        buffer_.consume(used);
        head_bytes_ += used;
        const bool stuck = needs_more(error) || (!error && used == 0);
        if (error && !stuck) {
            return tl::unexpected(no_http(error));
        }
        // All heads of an answer together, the interim ones, too.
        if (head_bytes_ + (stuck ? buffer_.size() : 0) > max_head_bytes_) {
            return fail(Code::TooLarge,
                        fmt::format("its head is longer than {} bytes", max_head_bytes_));
        }
        if (stuck) {
            return false;
        }
    }
    if (parser_->is_header_done() &&
        parser_->get().result() == field::status::switching_protocols) {
        return fail(Code::Unavailable, "it switches to another protocol, unasked");
    }
    return parser_->is_header_done();
}

/// Refuses codings that nobody asked for (RFC 9112 6.1, RFC 9110 8.4): their bytes are not the
/// content.
Expected<void> ClientConnection::judge_head() const {
    const auto& head = parser_->get();
    const auto transfer = head[field::field::transfer_encoding];
    if (!transfer.empty() && !beast::iequals(transfer, "chunked")) {
        return fail(Code::Unavailable,
                    fmt::format("it comes in the transfer coding \"{}\"", to_string(transfer)));
    }
    const auto content = head[field::field::content_encoding];
    if (!content.empty() && !beast::iequals(content, "identity")) {
        return fail(Code::Unavailable,
                    fmt::format("it comes in the content coding \"{}\"", to_string(content)));
    }
    return {};
}

ClientResponse ClientConnection::head() const {
    const auto& head = parser_->get();
    ClientResponse response;
    response.status = head.result_int();
    response.content_type = to_string(head[field::field::content_type]);
    response.retry_after = to_string(head[field::field::retry_after]);
    response.location = to_string(head[field::field::location]);
    return response;
}

std::optional<std::uint64_t> ClientConnection::content_length() const {
    if (parser_->is_done()) {
        return 0;
    }
    const auto length = parser_->content_length();
    return length ? std::optional<std::uint64_t>{*length} : std::nullopt;
}

Task<Expected<std::string>> ClientConnection::read_piece() {
    for (;;) {
        auto piece = take_piece();
        if (!piece || !piece->empty() || parser_->is_done()) {
            co_return piece;
        }
        const error_code error = co_await fill();
        if (error) {
            auto ended = end_body(error);
            if (!ended) {
                co_return tl::unexpected(std::move(ended.error()));
            }
        }
    }
}

/// What has come and was not taken. Framing takes room, so a piece is never longer than that.
Expected<std::string> ClientConnection::take_piece() {
    if (!body_begun_ && parser_->chunked() && buffer_.size() < kMinChunkedBytes) {
        return std::string{};
    }
    body_begun_ = true;
    std::string piece(std::min(buffer_.size(), kReadBytes), '\0');
    auto& room = parser_->get().body();
    room.data = piece.data();
    room.size = piece.size();
    error_code error;
    while (!parser_->is_done() && buffer_.size() > 0 && !error) {
        const std::size_t used = parser_->put(buffer_.data(), error);
        buffer_.consume(used);
        if (!error && used == 0) {
            break;
        }
    }
    piece.resize(piece.size() - room.size);
    room.data = nullptr;
    room.size = 0;
    if (error && !needs_more(error) && error != field::error::need_buffer) {
        return tl::unexpected(no_http(error));
    }
    if (piece.empty() && !parser_->is_done() && buffer_.size() > kMaxChunkHeadBytes) {
        return fail(Code::Unavailable, "this is no HTTP: the head of a chunk does not end");
    }
    return piece;
}

/// Only a body without a length ends with its connection (RFC 9112 6.3), and over TLS only with a
/// close_notify (RFC 9112 9.8).
Expected<void> ClientConnection::end_body(error_code error) {
    error_code incomplete = error;
    if (error == boost::asio::error::eof) {
        parser_->put_eof(incomplete);
    }
    if (incomplete) {
        return fail(Code::Unavailable, fmt::format("its body was cut off: {}", in_words(error)));
    }
    return {};
}

Error ClientConnection::silence(const error_code& error) const {
    const auto* what = heard_ ? "its head was cut off" : "no answer came";
    return {Code::Unavailable, fmt::format("{}: {}", what, in_words(error))};
}

bool ClientConnection::is_reusable() const {
    return parser_ && parser_->is_done() && parser_->keep_alive() && buffer_.size() == 0 &&
           transport_->is_quiet();
}

}  // namespace smw::http
