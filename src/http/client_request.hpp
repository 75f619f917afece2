#pragma once
// A ClientRequest as bytes. Pure.

#include "smw/http/client.hpp"

#include <string>

namespace smw::http {

/// As it stands in an error: "10.96.0.1:443", "[::1]:6443".
[[nodiscard]] std::string print_origin(const ClientSettings& settings);

struct RequestBytes {
    std::string text;             ///< head and body
    bool answer_has_body = true;  ///< false after HEAD
};

/// BadRequest for what would be another request than meant: a control character in a header, a
/// blank in the target, a header that says where the body ends. The error never shows a header's
/// value nor the body: they may be credentials.
[[nodiscard]] Expected<RequestBytes> print_request(const ClientRequest& request,
                                                   const ClientSettings& settings);

}  // namespace smw::http
