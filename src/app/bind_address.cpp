// Addresses to listen on, in the spelling of Go's net.Listen that people know from
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

/// "[::1]" or "127.0.0.1" or nothing; names are refused, because what they resolve to may change.
std::optional<std::string> read_host(std::string_view text) {
    if (text.empty()) {
        return std::string{};
    }
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    std::string host{bracketed ? text.substr(1, text.size() - 2) : text};
    if (!is_address(host, bracketed ? AF_INET6 : AF_INET)) {
        return std::nullopt;
    }
    return host;
}

}  // namespace

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
