#pragma once
// base64 as Go has []byte in JSON – AdmissionResponse.patch, the data of a Secret, caBundle, a
// kubeconfig: standard alphabet, padded (RFC 4648 section 4).

#include <optional>
#include <string>
#include <string_view>

namespace smw {

[[nodiscard]] std::string encode_base64(std::string_view bytes);
void append_base64(std::string& out, std::string_view bytes);

/// Line ends are passed over, as Go does. Nothing when `text` is no base64.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace smw
