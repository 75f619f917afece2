#pragma once
// HTTP/1.1 as a Service sees it: a head, a body that it may ask for, an answer. RFC 9110, 9112.

#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"
#include "smw/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::http {

/// Views live until the request is answered. An absent header is empty.
struct RequestHead {
    std::string_view method;
    std::string_view path;   ///< as sent, not normalised; of an absolute-form target its path
    std::string_view query;  ///< without the '?'
    std::string_view content_type;
    std::string_view content_encoding;
    TimePoint received;  ///< when the head had ended
    /// Why the caller may not ask for reviews, a sentence for it; empty: it may. The connection
    /// ends with the answer.
    std::string_view caller_refused;
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< Allow, Retry-After
};

/// One request on a connection.
class Exchange {
public:
    Exchange() = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    virtual ~Exchange() = default;

    [[nodiscard]] virtual const RequestHead& head() const = 0;

    /// The whole body, within the listener's limits; asked for at most once. Errors: TooLarge
    /// (413), Unavailable (bytes in flight: 503 with Retry-After), DeadlineExceeded (408),
    /// BadRequest (malformed chunk), Cancelled (the peer went away). Its capacity has
    /// json::Document::kPadding to spare. What is reserved for it is given back when the exchange
    /// ends. When the Service answers without having read it, the connection drops the rest and
    /// closes.
    virtual Task<Expected<std::string>> read_body(Deadline deadline) = 0;
    /// Gives the body's memory back for the next request. Optional.
    virtual void recycle(std::string memory) = 0;
};

/// What answers requests. Called on many shards at once. A thrown exception becomes a 500.
class Service {
public:
    Service() = default;
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    virtual ~Service() = default;

    virtual Task<Response> serve(Exchange& exchange) = 0;
};

}  // namespace smw::http
