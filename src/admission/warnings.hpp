#pragma once
// AdmissionResponse.warnings, as the API server passes them on: it drops a warning that holds a
// control character, and cuts all of them once they exceed 4096 characters together.

#include <cstddef>
#include <string>
#include <vector>

namespace smw::admission {

/// In characters, which are Unicode code points here as they are there.
inline constexpr std::size_t kMaxWarning = 120;
inline constexpr std::size_t kMaxWarnings = 4096;

/// Without control characters and invalid UTF-8, cut to kMaxWarning, each text once, no empty one;
/// from the first that exceeds kMaxWarnings in all none.
[[nodiscard]] std::vector<std::string> presentable(const std::vector<std::string>& warnings);

}  // namespace smw::admission
