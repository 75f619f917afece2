#pragma once
// What this build is.

#include <string_view>

namespace smw {

/// "0.1.0"
[[nodiscard]] std::string_view version();
/// Short hash of the commit; "unknown" when built outside a checkout.
[[nodiscard]] std::string_view revision();

}  // namespace smw
