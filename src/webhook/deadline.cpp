#include "smw/kube/meta.hpp"
#include "smw/webhook/endpoint.hpp"

#include <algorithm>

namespace smw::webhook {

namespace {

using namespace std::chrono_literals;

constexpr auto kWithoutTimeout = 10s;
constexpr auto kLongest = 30s;
constexpr auto kLeastMargin = 500ms;

std::string_view query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const auto ampersand = query.find('&');
        const auto pair = query.substr(0, ampersand);
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
            return pair.substr(equals + 1);
        }
        query = ampersand == std::string_view::npos ? "" : query.substr(ampersand + 1);
    }
    return "";
}

}  // namespace

Deadline deadline_of(const http::RequestHead& head) {
    const auto timeout = kube::parse_duration(query_value(head.query, "timeout"));
    std::chrono::nanoseconds ours = kWithoutTimeout;
    if (timeout && *timeout > 0ns) {
        const std::chrono::nanoseconds margin =
            *timeout < 1s ? *timeout / 2
                          : std::max<std::chrono::nanoseconds>(kLeastMargin, *timeout / 10);
        ours = std::min<std::chrono::nanoseconds>(*timeout - margin, kLongest);
    }
    return Deadline::at(head.received + ours);
}

}  // namespace smw::webhook
