#pragma once
// What a process has seen, and since when. Pure.

#include "smw/cert_rotation/bundle.hpp"
#include "smw/cert_rotation/rotation.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace smw::cert_rotation {

/// The caBundles of ours, of all configurations one after another.
[[nodiscard]] std::vector<Bundle> read_entries(const World& world);

/// `leaf` is the SHA-256 of what replicas serve; empty: nothing that can be read.
void remember(Memory& memory, const std::vector<Bundle>& entries, std::string_view leaf,
              TimePoint now);

/// When a CA will have been in every bundle for `wait`; nothing when it is not in all of them.
[[nodiscard]] std::optional<TimePoint> published_by(const Memory& memory, std::string_view sha256,
                                                    Duration wait);

}  // namespace smw::cert_rotation
