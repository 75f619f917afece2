#pragma once
// Parts of the sentences that tell what was done and why. Pure.

#include "smw/cert_rotation/bundle.hpp"
#include "smw/kube/meta.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace smw::cert_rotation {

/// "Secret ns/name"
[[nodiscard]] std::string secret_words(const kube::ObjectKey& key);
/// "24 h", "90 s"
[[nodiscard]] std::string words(std::chrono::seconds span);
/// "CN=a, CN=b and 3 more"
[[nodiscard]] std::string words(const std::vector<std::string>& names);
/// Of those in `all` that `others` lacks, the subjects.
[[nodiscard]] std::vector<std::string> missing_in(const Bundle& others, const Bundle& all);

}  // namespace smw::cert_rotation
