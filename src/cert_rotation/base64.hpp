#pragma once
// base64 as the data of a Secret has it: standard alphabet, padded (RFC 4648 section 4).

#include <string>
#include <string_view>

namespace smw::cert_rotation {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace smw::cert_rotation
