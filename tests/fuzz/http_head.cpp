// The head of a request, as far as it is read without a socket: what is taken can be read in one
// way only, seen by who looks at the bytes themselves.

#include "http/head.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cctype>

namespace smw::fuzz {
namespace {

namespace beast = boost::beast;

constexpr std::size_t kMaxHeadBytes = std::size_t{16} << 10;

/// How many lines of the head begin with this name and a colon, in any case.
std::size_t count_lines(std::string_view head, std::string_view name) {
    std::size_t count = 0;
    while (!head.empty()) {
        const auto line = take_until(head, '\n');
        bool same = line.size() > name.size() && line[name.size()] == ':';
        for (std::size_t at = 0; same && at < name.size(); ++at) {
            same = std::tolower(static_cast<unsigned char>(line[at])) == name[at];
        }
        count += same ? 1 : 0;
    }
    return count;
}

void check_framing(const http::Framing& framing, std::string_view head) {
    const auto lengths = count_lines(head, "content-length");
    const auto codings = count_lines(head, "transfer-encoding");
    check(lengths + codings <= 1, "a body that ends in two ways");
    check(framing.chunked == (codings == 1), "chunked without saying so, or not with it");
    check(framing.content_length == 0 || lengths == 1, "a length that nobody gave");
    check(framing.http_1_0 || count_lines(head, "host") == 1, "a request to two hosts, or none");
}

}  // namespace

void http_head(std::string_view bytes) {
    beast::http::request_parser<beast::http::string_body> parser;
    parser.header_limit(kMaxHeadBytes);
    parser.body_limit(boost::none);
    beast::error_code error;
    const auto used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    const auto taken = bytes.substr(0, used);
    if (!parser.is_header_done() || taken.find("\n ") != std::string_view::npos ||
        taken.find("\n\t") != std::string_view::npos) {
        return;
    }
    http::Framing framing;
    if (http::read_framing(parser.get(), framing)) {
        return;
    }
    check_framing(framing, taken);
    const auto head = http::describe(parser.get(), TimePoint{});
    check(head.path.find('?') == std::string_view::npos, "a path with a query");
    check(is_one_line(head.path) && is_one_line(head.query), "a target that is more than a line");
}

}  // namespace smw::fuzz
