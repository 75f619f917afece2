#pragma once
// What the cgroups around this process let it have, v1 and v2, also both at once. Linux:
// Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst; scheduler/sched-bwc.rst.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace smw::app {

/// Nothing where there is no limit, or none that can be read.
struct CgroupLimits {
    std::optional<double> cpus;           ///< quota / period
    std::optional<std::uint64_t> memory;  ///< bytes

    bool operator==(const CgroupLimits&) const = default;
};

/// The tightest on the way from this process's cgroup up to the top, as far as it is mounted. Read
/// below `root`, which has proc and sys; without a mountinfo the usual mount points are looked at.
[[nodiscard]] CgroupLimits read_cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace smw::app
