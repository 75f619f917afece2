#include "http/answer.hpp"

#include "smw/http/router.hpp"
#include "smw/kube/meta.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <iterator>

namespace smw::http {

namespace {

/// IMF-fixdate (RFC 9110 5.6.7), made anew once a second on each thread.
std::string_view date_now() {
    thread_local std::time_t made_for = 0;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != made_for) {
        text.clear();  // and its memory kept
        fmt::format_to(std::back_inserter(text), "{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(now));
        made_for = now;
    }
    return text;
}

std::string_view reason_phrase(unsigned status) {
    const auto text =
        boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
    return {text.data(), text.size()};
}

/// metav1.StatusReason, where it has one for the HTTP status.
std::string_view status_reason(unsigned status) {
    switch (status) {
        case 400:
            return "BadRequest";
        case 404:
            return "NotFound";
        case 405:
            return "MethodNotAllowed";
        case 408:
            return "Timeout";
        case 413:
            return "RequestEntityTooLarge";
        case 415:
            return "UnsupportedMediaType";
        case 500:
            return "InternalError";
        case 503:
            return "ServiceUnavailable";
        default:
            return "";
    }
}

void append_number(std::string& out, std::size_t number) {
    const fmt::format_int digits{number};
    out.append(digits.data(), digits.size());
}

/// After the line before.
void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
}

}  // namespace

void append_answer(std::string& out, const Response& response, AnswerStyle style) {
    out.reserve(out.size() + response.body.size() + 256);
    out += "HTTP/1.1 ";
    append_number(out, response.status);
    out += ' ';
    out += reason_phrase(response.status);
    append_header(out, "Content-Type", response.content_type);
    out += "\r\nContent-Length: ";
    append_number(out, response.body.size());
    append_header(out, "Date", date_now());
    for (const auto& [name, value] : response.headers) {
        append_header(out, name, value);
    }
    out += "\r\n";
    if (!style.keep_alive) {
        out += "Connection: close\r\n";
    } else if (style.http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
    if (!style.without_body) {
        out += response.body;
    }
}

Response status_response(unsigned status, std::string_view message) {
    kube::Status content;
    content.code = static_cast<int>(status);
    content.reason = status_reason(status);
    content.message = message;
    Response response;
    response.status = status;
    response.body = kube::to_json(content);
    return response;
}

Response text_response(unsigned status, std::string text) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    return response;
}

namespace {

Task<Response> not_found() {
    co_return status_response(404, "there is nothing at this path");
}

}  // namespace

Task<Response> Router::serve(Exchange& exchange) {
    for (const auto& entry : entries_) {
        if (entry.path == exchange.head().path) {
            return entry.service->serve(exchange);
        }
    }
    return not_found();
}

}  // namespace smw::http
