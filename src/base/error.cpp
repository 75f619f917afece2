#include "smw/base/error.hpp"

#include <fmt/format.h>

namespace smw {

std::string_view to_string(Code code) {
    switch (code) {
        case Code::BadRequest:
            return "BadRequest";
        case Code::NotFound:
            return "NotFound";
        case Code::Conflict:
            return "Conflict";
        case Code::Gone:
            return "Gone";
        case Code::Unauthorized:
            return "Unauthorized";
        case Code::Forbidden:
            return "Forbidden";
        case Code::TooLarge:
            return "RequestEntityTooLarge";
        case Code::UnsupportedMediaType:
            return "UnsupportedMediaType";
        case Code::DeadlineExceeded:
            return "Timeout";
        case Code::Unavailable:
            return "ServiceUnavailable";
        case Code::Cancelled:
            return "Cancelled";
        case Code::Internal:
            return "InternalError";
    }
    return "InternalError";
}

tl::unexpected<Error> annotate(Error error, std::string_view attempted) {
    error.message = fmt::format("{}: {}", attempted, error.message);
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace smw
