// Addresses to listen on; with a port in the spelling of Go's net.Listen that people know from
// --*-bind-address.

#include "smw/app/command_line.hpp"

#include <arpa/inet.h>
#include <array>
#include <utility>

namespace smw::app {
namespace {

bool is_address(const std::string& host, int family) {
    std::array<unsigned char, sizeof(in6_addr)> binary{};
    return inet_pton(family, host.c_str(), binary.data()) == 1;
}

std::optional<std::string> inside_brackets(std::string_view text) {
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    return bracketed ? std::optional{std::string{text.substr(1, text.size() - 2)}} : std::nullopt;
}

/// "[::1]" or "127.0.0.1" or nothing; names are refused, because what they resolve to may change.
std::optional<std::string> read_host(std::string_view text) {
    const auto inside = inside_brackets(text);
    std::string host = inside.value_or(std::string{text});
    if (!host.empty() && !is_address(host, inside ? AF_INET6 : AF_INET)) {
        return std::nullopt;
    }
    return host;
}

}  // namespace

Set set_address(std::string& target) {
    return [&target](std::string_view text) -> Expected<void> {
        auto host = read_host(text);
        if (!host && is_address(std::string{text}, AF_INET6)) {
            host = text;
        }
        if (!host) {
            return fail(Code::BadRequest, "must be an IP address such as 127.0.0.1 or ::1");
        }
        target = *std::move(host);
        return {};
    };
}

Set set_bind_address(BindAddress& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (text.empty() || text == "0") {
            target = BindAddress{false, "", 0};
            return {};
        }
        BindAddress address;
        const auto colon = text.rfind(':');
        auto host =
            colon == std::string_view::npos ? std::nullopt : read_host(text.substr(0, colon));
        if (!host || !set_port(address.port)(text.substr(colon + 1))) {
            return fail(Code::BadRequest,
                        "must be an address and a port such as :8080, 127.0.0.1:8080 or "
                        "[::1]:8080, or 0 for none");
        }
        address.host = *std::move(host);
        target = std::move(address);
        return {};
    };
}

}  // namespace smw::app
