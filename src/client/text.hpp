#pragma once
// Questions about text that ends up in headers and messages. Pure.

#include <string>
#include <string_view>

namespace smw::client {

/// Without blanks and line ends around it.
[[nodiscard]] std::string_view trim(std::string_view text);
/// What a header can carry: no control characters (RFC 9110 section 5.5).
[[nodiscard]] bool is_header_value(std::string_view text);
/// The same without blanks: a bearer token (RFC 6750 section 2.1, which allows less).
[[nodiscard]] bool is_token(std::string_view text);
/// The first `most` characters with what is no printable ASCII as '?', for messages.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most);

}  // namespace smw::client
