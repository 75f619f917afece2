#include "client/api_failure.hpp"

#include "client/api_paths.hpp"
#include "client/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace smw::client {
namespace {

constexpr std::size_t kMostBody = 200;       ///< characters of a body that is no Status
constexpr std::size_t kMostMessage = 1'000;  ///< of a Status

/// The cause of a Status that we had to make (metav1.CauseTypeUnexpectedServerResponse).
constexpr std::string_view kUnexpectedAnswer = "UnexpectedServerResponse";

/// What kube-apiserver's own mux says of a path that it does not serve (http.NotFound of Go).
constexpr std::string_view kNotServed = "404 page not found";

/// Only our own deadline is DeadlineExceeded: 504 is that of somebody on the way.
Code code_of(unsigned status) {
    switch (status) {
        case 401:
            return Code::Unauthorized;
        case 403:
            return Code::Forbidden;
        case 404:
            return Code::NotFound;
        case 406:
        case 415:
            return Code::UnsupportedMediaType;
        case 409:
            return Code::Conflict;
        case 410:
            return Code::Gone;
        case 413:
            return Code::TooLarge;
        case 408:
        case 425:
        case 429:
            return Code::Unavailable;
        default:
            return status >= 400 && status < 500 ? Code::BadRequest : Code::Unavailable;
    }
}

/// metav1.StatusReason, as client-go's NewGenericServerResponse has it.
std::string_view reason_of(unsigned status) {
    switch (status) {
        case 400:
            return "BadRequest";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "NotFound";
        case 405:
            return "MethodNotAllowed";
        case 406:
            return "NotAcceptable";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 413:
            return "RequestEntityTooLarge";
        case 415:
            return "UnsupportedMediaType";
        case 422:
            return "Invalid";
        case 429:
            return "TooManyRequests";
        case 500:
            return "InternalError";
        case 503:
            return "ServiceUnavailable";
        case 504:
            return "Timeout";
        default:
            return "Unknown";
    }
}

/// RFC 9110 section 10.2.3, without dates: client-go reads integers only.
std::optional<int> seconds_of(std::string_view retry_after) {
    const auto text = trim(retry_after);
    const auto* const end = text.data() + text.size();
    int seconds = 0;
    const auto result = std::from_chars(text.data(), end, seconds);
    if (text.empty() || result.ec != std::errc{} || result.ptr != end || seconds < 0) {
        return std::nullopt;
    }
    return seconds;
}

/// A query or fragment may hold what a login page must not lose and a log must not have.
std::string redirection(const http::ClientResponse& response) {
    const std::string_view location{response.location};
    return fmt::format("redirects are not followed (to {})",
                       printable(location.substr(0, location.find_first_of("?#")), kMostBody));
}

std::string unexpected_answer(const http::ClientResponse& response, std::string_view body) {
    const auto type = printable(response.content_type, kMostBody);
    return fmt::format("the answer is HTTP {} with {}{}{}", response.status,
                       type.empty() ? "no content type" : type, body.empty() ? "" : ": ", body);
}

/// What came instead of a Status. Whoever stands on the way may repeat what was written, and that
/// may be a key.
kube::Status generic_status(const ApiRequest& request, const http::ClientResponse& response) {
    const auto said = trim(response.body);
    const bool may_repeat = is_write(request.verb) && !said.starts_with(kNotServed);
    const auto body = may_repeat ? std::string{} : printable(said, kMostBody);
    const bool redirects = response.status >= 300 && response.status < 400;
    kube::Status status;
    status.reason = reason_of(response.status);
    status.message = redirects ? redirection(response) : unexpected_answer(response, body);
    kube::Status::Cause cause;
    cause.reason = kUnexpectedAnswer;
    cause.message = body;
    status.causes.push_back(std::move(cause));
    return status;
}

std::optional<kube::Status> status_in(const std::string& body) {
    if (!trim(body).starts_with('{')) {
        return std::nullopt;
    }
    const auto document = json::Document::parse(body);
    return document ? kube::read_status(document->root()) : std::nullopt;
}

/// The one object that a request is about for good: what is watched by its name, or written. One
/// that is got is one of many.
std::string_view sole_name(const ApiRequest& request) {
    constexpr std::string_view kByName = "metadata.name=";
    if (request.verb == "update" || request.verb == "patch") {
        return request.name;
    }
    for (const auto& [key, value] : request.query) {
        if (key == "fieldSelector" && value.starts_with(kByName)) {
            return std::string_view{value}.substr(kByName.size());
        }
    }
    return {};
}

/// What an administrator adds to a Role or ClusterRole.
std::string missing_rule(const ApiRequest& request) {
    const auto name = sole_name(request);
    return fmt::format(
        "; grant it: rules: [{{apiGroups: [{}], resources: [{}]{}, verbs: [{}]}}]",
        request.resource.group.empty() ? "\"\"" : request.resource.group, request.resource.plural,
        name.empty() ? "" : fmt::format(", resourceNames: [{}]", name), request.verb);
}

/// An API server shows the value that it refuses ("patch: Invalid value: ..."), and for a merge
/// patch that is the whole object.
void hide_value(std::string& message) {
    constexpr std::string_view kBefore = " value: ";
    const auto at = message.find(kBefore);
    if (at != std::string::npos) {
        message.replace(at + kBefore.size(), std::string::npos, "(not shown)");
    }
}

void hide_values(kube::Status& status) {
    hide_value(status.message);
    for (auto& cause : status.causes) {
        hide_value(cause.message);
    }
}

bool is_of_secrets(const ApiRequest& request) {
    return request.resource.group.empty() && request.resource.plural == "secrets";
}

Failure failure_of(const ApiRequest& request, kube::Status status) {
    if (is_of_secrets(request)) {
        hide_values(status);
    }
    const auto http_status = static_cast<unsigned>(status.code);
    std::string message =
        fmt::format("{}: {}", describe(request), printable(trim(status.message), kMostMessage));
    if (http_status == 403) {
        message += missing_rule(request);
    }
    Failure failure;
    failure.error = Error{code_of(http_status), std::move(message)};
    failure.status = std::move(status);
    return failure;
}

/// metav1.StatusSuccess: what a "delete" leaves when nothing keeps the object.
bool says_deleted(const ApiRequest& request, json::Value status) {
    const auto said = status.find("status");
    return request.verb == "delete" && said && said->string() == "Success";
}

}  // namespace

bool Failure::is_said_by_api_server() const {
    return status.code != 0 && std::ranges::none_of(status.causes, [](const auto& cause) {
               return cause.reason == kUnexpectedAnswer;
           });
}

bool Failure::may_mean_absent() const {
    return status.code == 404 &&
           (is_said_by_api_server() || std::ranges::any_of(status.causes, [](const auto& cause) {
                return cause.message.starts_with(kNotServed);
            }));
}

Failure unanswered(const ApiRequest& request, Error error) {
    Failure failure;
    failure.error = annotate(std::move(error), describe(request)).value();
    failure.status.code = 0;
    return failure;
}

Failure refused(const ApiRequest& request, const http::ClientResponse& response) {
    auto status = status_in(response.body).value_or(generic_status(request, response));
    status.code = static_cast<int>(response.status);
    if (status.message.empty()) {
        status.message =
            status.reason.empty() ? fmt::format("HTTP {}", response.status) : status.reason;
    }
    if (!status.retry_after_seconds || *status.retry_after_seconds < 0) {
        status.retry_after_seconds = seconds_of(response.retry_after);
    }
    return failure_of(request, std::move(status));
}

bool is_json(const http::ClientResponse& response) {
    const std::string_view whole{response.content_type};
    std::string type{trim(whole.substr(0, whole.find(';')))};
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return type.empty() || type == "application/json";
}

Failure not_json(const ApiRequest& request, const http::ClientResponse& response) {
    return unanswered(request, Error{Code::Unavailable,
                                     fmt::format("the answer is {}, not application/json",
                                                 printable(response.content_type, kMostBody))});
}

Answered<json::Document> read_object(const ApiRequest& request, http::ClientResponse response) {
    const auto no_object = [&request](std::string message) {
        return tl::unexpected(unanswered(request, Error{Code::Unavailable, std::move(message)}));
    };
    if (!is_json(response)) {
        return tl::unexpected(not_json(request, response));
    }
    auto document = json::Document::parse(std::move(response.body));
    if (!document) {
        return no_object(fmt::format("the answer is no JSON: {}", document.error().message));
    }
    const auto root = document->root();
    if (!root.is_object()) {
        return no_object(
            fmt::format("the answer is no object but {}", json::to_string(root.kind())));
    }
    if (auto status = kube::read_status(root); status && !says_deleted(request, root)) {
        constexpr int kInternalError = 500;
        status->code = status->code >= 400 ? status->code : kInternalError;
        return tl::unexpected(failure_of(request, *std::move(status)));
    }
    return *std::move(document);
}

}  // namespace smw::client
