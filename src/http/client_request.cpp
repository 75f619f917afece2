#include "http/client_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace smw::http {

namespace {

/// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
    constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
    const auto allowed = [&](char symbol) {
        return (symbol >= '0' && symbol <= '9') || (symbol >= 'a' && symbol <= 'z') ||
               (symbol >= 'A' && symbol <= 'Z') || kSymbols.find(symbol) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool is_control(char symbol) {
    return static_cast<unsigned char>(symbol) < 0x20 || symbol == 0x7f;
}

/// Control characters but for the tab would end the header (RFC 9110 5.5).
bool is_field_value(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char symbol) { return is_control(symbol) && symbol != '\t'; });
}

/// origin-form (RFC 9112 3.2.1), already encoded: visible ASCII.
bool is_target(std::string_view text) {
    return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char symbol) {
               return symbol > ' ' && symbol < 0x7f;
           });
}

std::string print_host(const ClientSettings& settings) {
    const bool is_ipv6 = settings.host.find(':') != std::string::npos;
    return is_ipv6 ? fmt::format("[{}]", settings.host) : settings.host;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
}

}  // namespace

std::string print_origin(const ClientSettings& settings) {
    return fmt::format("{}:{}", print_host(settings), settings.port);
}

Expected<RequestBytes> print_request(const ClientRequest& request, const ClientSettings& settings) {
    if (!is_token(request.method)) {
        return fail(Code::BadRequest, "the request's method is no token");
    }
    if (!is_target(request.target)) {
        return fail(Code::BadRequest, "the request's target is not an encoded path");
    }
    RequestBytes bytes;
    bytes.answer_has_body = request.method != "HEAD";
    bytes.head = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
    const std::uint16_t default_port = settings.tls != nullptr ? 443 : 80;
    append_field(bytes.head, "Host",
                 settings.port == default_port ? print_host(settings) : print_origin(settings));
    if (!settings.user_agent.empty()) {
        append_field(bytes.head, "User-Agent", settings.user_agent);
    }
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name) || !is_field_value(value)) {
            return fail(Code::BadRequest,
                        fmt::format("the request's header {} holds a character that no header may",
                                    is_token(name) ? name : "name"));
        }
        append_field(bytes.head, name, value);
    }
    bytes.head += "\r\n";
    return bytes;
}

}  // namespace smw::http
