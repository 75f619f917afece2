#pragma once
// How many CPUs this process may use: its affinity, and the quota of its cgroup.

#include <cstddef>
#include <filesystem>
#include <optional>

namespace smw::app {

/// ceil(quota / period) of the tightest cgroup (v1 or v2) around this process, read below `root`
/// (which has proc and sys); nothing when there is no quota.
[[nodiscard]] std::optional<std::size_t> quota_cpus(const std::filesystem::path& root = "/");

/// At least 1.
[[nodiscard]] std::size_t allowed_cpus();

}  // namespace smw::app
