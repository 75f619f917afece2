#include "client/server_url.hpp"

#include "client/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <charconv>
#include <netinet/in.h>

namespace smw::client {
namespace {

/// What a name may be made of: DNS labels, and '_', which people's names have.
bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
    return text.size() >= scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), text.begin(), [](char wanted, char c) {
               return wanted == std::tolower(static_cast<unsigned char>(c));
           });
}

struct Authority {
    std::string_view host;
    std::string_view port;
};

Authority split(std::string_view authority) {
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
        return {authority, {}};
    }
    return {authority.substr(0, colon), authority.substr(colon + 1)};
}

Expected<std::string> parse_ipv6(std::string_view text) {
    std::string address{text};
    in6_addr parsed{};
    if (::inet_pton(AF_INET6, address.c_str(), &parsed) != 1) {
        return fail(Code::BadRequest, "has no good IPv6 address");
    }
    return address;
}

/// What follows the scheme, after the checks that hold for the whole.
Expected<ServerUrl> parse_rest(ServerUrl url, std::string_view rest) {
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto authority = split(rest.substr(0, slash));
    if (authority.host.find(':') != std::string_view::npos && authority.host.front() != '[') {
        return fail(Code::BadRequest, "needs brackets around its IPv6 address");
    }
    auto host = parse_host(authority.host);
    if (!host) {
        return tl::unexpected(host.error());
    }
    url.host = *std::move(host);
    if (!authority.port.empty()) {
        const auto port = parse_port(authority.port);
        if (!port) {
            return tl::unexpected(port.error());
        }
        url.port = *port;
    }
    std::string_view path = rest.substr(slash);
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    url.path = path;
    return url;
}

}  // namespace

Expected<std::string> parse_host(std::string_view text) {
    if (text.empty()) {
        return fail(Code::BadRequest, "has no host");
    }
    if (text.front() == '[') {
        return text.back() == ']' ? parse_ipv6(text.substr(1, text.size() - 2))
                                  : fail(Code::BadRequest, "has a bracket that is not closed");
    }
    if (text.find(':') != std::string_view::npos) {
        return parse_ipv6(text);
    }
    if (!std::all_of(text.begin(), text.end(), is_name_character)) {
        return fail(Code::BadRequest, "has a host with characters that no host name has");
    }
    return std::string{text};
}

Expected<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, port);
    if (result.ec != std::errc{} || result.ptr != end || port == 0) {
        return fail(Code::BadRequest, "has a port that is none of 1 to 65535");
    }
    return port;
}

Expected<ServerUrl> parse_server_url(std::string_view text) {
    ServerUrl url;
    constexpr std::string_view kHttps = "https://";
    constexpr std::string_view kHttp = "http://";
    if (starts_with_scheme(text, kHttp)) {
        url.tls = false;
        url.port = 80;
    } else if (!starts_with_scheme(text, kHttps)) {
        return fail(Code::BadRequest, "must begin with https:// or http://");
    }
    if (!is_token(text)) {
        return fail(Code::BadRequest, "has blanks or characters that no URL has");
    }
    const auto rest = text.substr(url.tls ? kHttps.size() : kHttp.size());
    if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) {
        return fail(Code::BadRequest, "has a user name in it: use a token or a client certificate");
    }
    if (rest.find_first_of("?#") != std::string_view::npos) {
        return fail(Code::BadRequest, "has a query or a fragment");
    }
    return parse_rest(std::move(url), rest);
}

}  // namespace smw::client
