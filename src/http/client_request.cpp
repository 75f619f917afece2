#include "http/client_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

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

bool equals_ignoring_case(std::string_view left, std::string_view right) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(left, right, {}, lower, lower);
}

/// A second length, or another framing, is how requests are smuggled (RFC 9112 11.2).
bool is_framing(std::string_view name) {
    return equals_ignoring_case(name, "Content-Length") ||
           equals_ignoring_case(name, "Transfer-Encoding");
}

/// RFC 9110 8.6: those to which content means something say its length even when there is none.
bool has_length(const ClientRequest& request) {
    return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
           request.method == "PATCH";
}

Expected<void> check_header(std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_field_value(value)) {
        return fail(Code::BadRequest,
                    fmt::format("the request's header {} holds a character that no header may",
                                is_token(name) ? name : "name"));
    }
    if (is_framing(name)) {
        return fail(Code::BadRequest,
                    fmt::format("the request's header {} is not the caller's to set", name));
    }
    return {};
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
    bytes.text = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
    const std::uint16_t default_port = settings.tls != nullptr ? 443 : 80;
    append_field(bytes.text, "Host",
                 settings.port == default_port ? print_host(settings) : print_origin(settings));
    if (!settings.user_agent.empty()) {
        append_field(bytes.text, "User-Agent", settings.user_agent);
    }
    for (const auto& [name, value] : request.headers) {
        if (auto good = check_header(name, value); !good) {
            return tl::unexpected(std::move(good.error()));
        }
        append_field(bytes.text, name, value);
    }
    if (has_length(request)) {
        append_field(bytes.text, "Content-Length", std::to_string(request.body.size()));
    }
    bytes.text += "\r\n";
    bytes.text += request.body;
    return bytes;
}

}  // namespace smw::http
