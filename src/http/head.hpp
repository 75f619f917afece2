#pragma once
// What the head of a request says about itself, judged by RFC 9112: framing, persistence, target.
// Pure.

#include "smw/http/service.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace smw::http {

using Fields = boost::beast::http::fields;
using RequestHeader = boost::beast::http::header<true, Fields>;

/// How the body ends, and what becomes of the connection.
struct Framing {
    bool chunked = false;
    std::uint64_t content_length = 0;
    bool keep_alive = true;
    bool http_1_0 = false;
    bool expects_continue = false;  ///< Expect: 100-continue, of HTTP/1.1 only
};

/// A head that Beast took but we do not: the status and why.
struct Refusal {
    unsigned status = 400;
    std::string_view why;
};

/// Refuses what could be read in two ways (request smuggling): a Content-Length said twice, even
/// equally, beside Transfer-Encoding, or not a number; codings other than chunked (501); no Host.
[[nodiscard]] std::optional<Refusal> read_framing(const RequestHeader& header, Framing& framing);

/// Path and query of an origin-form or absolute-form target, views into `header`.
[[nodiscard]] RequestHead describe(const RequestHeader& header, TimePoint received);

}  // namespace smw::http
