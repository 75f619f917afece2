#pragma once
// How many CPUs this process may use: its affinity, and the quota of its cgroups.

#include <cstddef>
#include <filesystem>
#include <optional>

namespace smw::app {

/// Of this process's affinity mask; at least 1.
[[nodiscard]] std::size_t affinity_cpus();

/// ceil(quota / period) of the tightest cgroup (v1 or v2) around this process, read below `root`
/// (which has proc and sys); nothing when there is no quota. Rounded up as Go's GOMAXPROCS is,
/// without its least of two: whoever shall use half a CPU is served best by one thread.
[[nodiscard]] std::optional<std::size_t> quota_cpus(const std::filesystem::path& root = "/");

/// The lesser of both.
[[nodiscard]] std::size_t allowed_cpus();

}  // namespace smw::app
