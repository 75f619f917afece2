#include "app/cpus.hpp"

#include <algorithm>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>

namespace smw::app {

namespace {

namespace fs = std::filesystem;

/// The cgroup's path of a line "N:controllers:/path" of /proc/self/cgroup.
struct Membership {
    std::string controllers;  ///< empty: v2
    fs::path path;
};

std::optional<Membership> parse_membership(const std::string& line) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
        return std::nullopt;
    }
    Membership membership;
    membership.controllers = line.substr(first + 1, second - first - 1);
    membership.path = fs::path{line.substr(second + 1)}.relative_path();
    return membership;
}

bool has_cpu(const std::string& controllers) {
    std::istringstream list{controllers};
    for (std::string name; std::getline(list, name, ',');) {
        if (name == "cpu") {
            return true;
        }
    }
    return false;
}

std::optional<std::size_t> ceil_ratio(long quota, long period) {
    if (quota <= 0 || period <= 0) {
        return std::nullopt;
    }
    return static_cast<std::size_t>((quota + period - 1) / period);
}

/// cpu.max: "max 100000" or "150000 100000".
std::optional<std::size_t> read_v2(const fs::path& folder) {
    std::ifstream file{folder / "cpu.max"};
    long quota = 0;
    long period = 0;
    return file >> quota >> period ? ceil_ratio(quota, period) : std::nullopt;
}

std::optional<std::size_t> read_v1(const fs::path& folder) {
    std::ifstream quota_file{folder / "cpu.cfs_quota_us"};
    std::ifstream period_file{folder / "cpu.cfs_period_us"};
    long quota = 0;
    long period = 0;
    return quota_file >> quota && period_file >> period ? ceil_ratio(quota, period) : std::nullopt;
}

/// The tightest on the way from the cgroup up to the mount. Inside a container the mount itself is
/// the container's cgroup and the path is not below it: then the mount alone has it.
template <class Read>
std::optional<std::size_t> tightest(const fs::path& mount, fs::path path, Read read) {
    std::optional<std::size_t> least = read(mount);
    for (; !path.empty(); path = path.parent_path()) {
        const auto here = read(mount / path);
        if (here && (!least || *here < *least)) {
            least = here;
        }
    }
    return least;
}

}  // namespace

std::optional<std::size_t> quota_cpus(const fs::path& root) {
    std::ifstream memberships{root / "proc/self/cgroup"};
    const fs::path mounts = root / "sys/fs/cgroup";
    std::optional<std::size_t> least;
    for (std::string line; std::getline(memberships, line);) {
        const auto membership = parse_membership(line);
        std::optional<std::size_t> found;
        if (membership && membership->controllers.empty()) {
            found = tightest(mounts, membership->path, read_v2);
        } else if (membership && has_cpu(membership->controllers)) {
            found = tightest(mounts / "cpu", membership->path, read_v1);
        }
        if (found && (!least || *found < *least)) {
            least = found;
        }
    }
    return least;
}

std::size_t allowed_cpus() {
    cpu_set_t affinity;
    CPU_ZERO(&affinity);
    std::size_t cpus = 1;
    if (::sched_getaffinity(0, sizeof(affinity), &affinity) == 0) {
        cpus = static_cast<std::size_t>(CPU_COUNT(&affinity));
    }
    return std::max<std::size_t>(1, std::min(cpus, quota_cpus().value_or(cpus)));
}

}  // namespace smw::app
