#pragma once
// The URL of an API server as kubeconfigs have it. Pure.

#include "smw/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace smw::client {

struct ServerUrl {
    bool tls = true;
    std::string host;  ///< without brackets
    std::uint16_t port = 443;
    std::string path;  ///< without trailing slash
    friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};

/// http or https. An error is a clause ("has no scheme: ...") that repeats nothing of the text: it
/// may hold a password.
[[nodiscard]] Expected<ServerUrl> parse_server_url(std::string_view text);

/// A name or an IP address, brackets around IPv6 or none; returned without them. An error is a
/// clause.
[[nodiscard]] Expected<std::string> parse_host(std::string_view text);
/// 1 to 65535. An error is a clause.
[[nodiscard]] Expected<std::uint16_t> parse_port(std::string_view text);

}  // namespace smw::client
