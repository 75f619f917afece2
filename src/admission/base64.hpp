#pragma once
// base64 as AdmissionResponse.patch has it: standard alphabet, padded (RFC 4648 section 4).

#include <string>
#include <string_view>

namespace smw::admission {

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace smw::admission
