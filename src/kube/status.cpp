// metav1.Status: what the API server reads in an answer that is not 200. Any thread.

#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"

#include <utility>

namespace smw::kube {
namespace {

/// metav1 leaves empty texts out.
void write_text(json::Writer& writer, std::string_view key, std::string_view text) {
    if (!text.empty()) {
        writer.member(key, text);
    }
}

void write_details(json::Writer& writer, const Status& status) {
    writer.key("details").begin_object();
    if (!status.causes.empty()) {
        writer.key("causes").begin_array();
        for (const auto& cause : status.causes) {
            writer.begin_object();
            write_text(writer, "reason", cause.reason);
            write_text(writer, "message", cause.message);
            write_text(writer, "field", cause.field);
            writer.end_object();
        }
        writer.end_array();
    }
    if (status.retry_after_seconds) {
        writer.member("retryAfterSeconds", std::int64_t{*status.retry_after_seconds});
    }
    writer.end_object();
}

int http_status_of(Code code) {
    switch (code) {
        case Code::BadRequest:
            return 400;
        case Code::NotFound:
            return 404;
        case Code::Conflict:
            return 409;
        case Code::Gone:
            return 410;
        case Code::Unauthorized:
            return 401;
        case Code::Forbidden:
            return 403;
        case Code::TooLarge:
            return 413;
        case Code::UnsupportedMediaType:
            return 415;
        case Code::DeadlineExceeded:
            return 504;
        case Code::Unavailable:
            return 503;
        case Code::Cancelled:
        case Code::Internal:
            return 500;
    }
    return 500;
}

std::string text_of(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    return std::string{member ? member->string().value_or(std::string_view{}) : std::string_view{}};
}

/// Nothing when absent, no integer, or out of int's range.
std::optional<int> number_of(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    const auto number = member ? member->int64() : std::nullopt;
    if (!number || !std::in_range<int>(*number)) {
        return std::nullopt;
    }
    return static_cast<int>(*number);
}

}  // namespace

std::string to_json(const Status& status) {
    std::string out;
    out.reserve(160 + status.message.size());
    json::Writer writer{out};
    writer.begin_object().member("kind", "Status").member("apiVersion", "v1");
    writer.key("metadata").begin_object().end_object();
    writer.member("status", "Failure");
    write_text(writer, "message", status.message);
    write_text(writer, "reason", status.reason);
    if (status.retry_after_seconds || !status.causes.empty()) {
        write_details(writer, status);
    }
    writer.member("code", std::int64_t{status.code}).end_object();
    return out;
}

std::optional<Status> read_status(json::Value object) {
    if (text_of(object, "kind") != "Status") {
        return std::nullopt;
    }
    Status status;
    status.code = number_of(object, "code").value_or(0);
    status.reason = text_of(object, "reason");
    status.message = text_of(object, "message");
    const auto details = object.find("details");
    if (!details) {
        return status;
    }
    status.retry_after_seconds = number_of(*details, "retryAfterSeconds");
    const auto causes = details->find("causes");
    if (!causes) {
        return status;
    }
    for (const auto cause : causes->items()) {
        Status::Cause read;
        read.reason = text_of(cause, "reason");
        read.message = text_of(cause, "message");
        read.field = text_of(cause, "field");
        status.causes.push_back(std::move(read));
    }
    return status;
}

Status status_of(const Error& error) {
    const auto code = error.code == Code::Cancelled ? Code::Internal : error.code;
    Status status;
    status.code = http_status_of(code);
    status.reason = std::string{to_string(code)};
    status.message = error.message;
    return status;
}

}  // namespace smw::kube
