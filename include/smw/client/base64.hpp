#pragma once
// base64 as Go reads []byte in JSON, the data of a Secret: standard alphabet, padded, line ends
// passed over (RFC 4648 section 4).

#include <optional>
#include <string>
#include <string_view>

namespace smw::client {

/// Nothing when `text` is no base64.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace smw::client
