#include "http/head.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>
#include <charconv>

namespace smw::http {

namespace beast = boost::beast;
namespace field = beast::http;

namespace {

std::string_view to_view(beast::string_view text) {
    return {text.data(), text.size()};
}

bool parse_length(std::string_view text, std::uint64_t& length) {
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, length);
    const bool digits_only = !text.empty() && text.front() >= '0' && text.front() <= '9';
    return digits_only && error == std::errc{} && stopped == end;
}

/// The headers that frame a request, gathered in one pass. Of those that are read only when they
/// are alone, one.
struct FramingHeaders {
    std::size_t lengths = 0;
    std::size_t codings = 0;
    std::size_t hosts = 0;
    beast::string_view length;
    beast::string_view coding;
    beast::string_view expect;
    // In any of the Connection headers (RFC 9110 5.3: several are one list).
    bool close = false;
    bool keep_alive = false;
};

FramingHeaders gather(const RequestHeader& header) {
    FramingHeaders found;
    for (const auto& entry : header) {
        switch (entry.name()) {
            case field::field::content_length:
                ++found.lengths;
                found.length = entry.value();
                break;
            case field::field::transfer_encoding:
                ++found.codings;
                found.coding = entry.value();
                break;
            case field::field::host:
                ++found.hosts;
                break;
            case field::field::expect:
                found.expect = found.expect.empty() ? entry.value() : found.expect;
                break;
            case field::field::connection: {
                beast::http::token_list options{entry.value()};
                found.close = found.close || options.exists("close");
                found.keep_alive = found.keep_alive || options.exists("keep-alive");
                break;
            }
            default:
                break;
        }
    }
    return found;
}

}  // namespace

std::optional<Refusal> read_framing(const RequestHeader& header, Framing& framing) {
    framing.http_1_0 = header.version() == 10;
    const FramingHeaders found = gather(header);
    if (found.lengths > 1) {
        return Refusal{400, "Content-Length is given more than once"};
    }
    if (found.lengths == 1 && found.codings > 0) {
        return Refusal{400, "Content-Length and Transfer-Encoding are given together"};
    }
    if (found.codings > 0) {
        if (framing.http_1_0) {
            return Refusal{400, "Transfer-Encoding is not part of HTTP/1.0"};
        }
        if (found.codings > 1 || !beast::iequals(found.coding, "chunked")) {
            return Refusal{501, "only the transfer coding \"chunked\" is implemented"};
        }
        framing.chunked = true;
    }
    if (found.lengths == 1 && !parse_length(to_view(found.length), framing.content_length)) {
        return Refusal{400, "Content-Length is not one number"};
    }
    if (found.hosts > 1 || (found.hosts == 0 && !framing.http_1_0)) {
        return Refusal{400, "an HTTP/1.1 request needs exactly one Host"};
    }
    framing.keep_alive = !found.close && (!framing.http_1_0 || found.keep_alive);
    framing.expects_continue = !framing.http_1_0 && beast::iequals(found.expect, "100-continue");
    return std::nullopt;
}

RequestHead describe(const RequestHeader& header, TimePoint received) {
    std::string_view target = to_view(header.target());
    // absolute-form (RFC 9112 3.2.2): what follows the authority.
    if (const auto scheme = target.find("://");
        !target.empty() && target.front() != '/' && scheme != std::string_view::npos) {
        const auto path = target.find_first_of("/?", scheme + 3);
        target = path == std::string_view::npos ? std::string_view{"/"} : target.substr(path);
    }
    const auto question = target.find('?');
    RequestHead head;
    head.method = to_view(header.method_string());
    head.path = target.substr(0, question);
    if (question != std::string_view::npos) {
        head.query = target.substr(question + 1);
    }
    head.content_type = to_view(header[field::field::content_type]);
    head.content_encoding = to_view(header[field::field::content_encoding]);
    head.received = received;
    return head;
}

}  // namespace smw::http
