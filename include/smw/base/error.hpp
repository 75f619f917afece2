#pragma once
// What can go wrong, as a value. Functions that can fail return Expected<T>; exceptions stay inside
// http/, async/ and start-up.

#include <tl/expected.hpp>

#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace smw {

/// The API's own words (metav1.StatusReason) where it has one.
enum class Code {
    BadRequest,
    NotFound,
    Conflict,
    Gone,
    Unauthorized,
    Forbidden,
    TooLarge,
    UnsupportedMediaType,
    DeadlineExceeded,
    Unavailable,
    Cancelled,
    Internal,
};

[[nodiscard]] std::string_view to_string(Code code);

/// `message` is a clause that says what was attempted, on which object: "reading tls.key: ...".
struct Error {
    Code code = Code::Internal;
    std::string message;
    std::source_location where = std::source_location::current();

    /// Where an error was made is for the log, not part of what it says.
    friend bool operator==(const Error& left, const Error& right) {
        return left.code == right.code && left.message == right.message;
    }
};

template <class T>
using Expected = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(
    Code code, std::string message, std::source_location where = std::source_location::current()) {
    return tl::unexpected<Error>(Error{code, std::move(message), where});
}

/// The same error with what was attempted in front: "listing pods: connection refused".
[[nodiscard]] tl::unexpected<Error> annotate(Error error, std::string_view attempted);

}  // namespace smw
