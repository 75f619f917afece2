#include "app/cpus.hpp"

#include "app/cgroup.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <sched.h>
#include <vector>

namespace smw::app {

namespace {

/// More than any kernel is built for (CONFIG_NR_CPUS); also what a quota without sense comes down
/// to.
constexpr std::size_t kMostCpus = 65536;

}  // namespace

std::size_t affinity_cpus() {
    // The kernel refuses a mask that is smaller than its own: EINVAL, on machines with many CPUs.
    for (std::size_t size = CPU_SETSIZE; size <= kMostCpus; size *= 2) {
        std::vector<cpu_set_t> mask(size / CPU_SETSIZE);
        const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
        if (::sched_getaffinity(0, bytes, mask.data()) == 0) {
            return static_cast<std::size_t>(std::max(1, CPU_COUNT_S(bytes, mask.data())));
        }
        if (errno != EINVAL) {
            break;
        }
    }
    return 1;
}

std::optional<std::size_t> quota_cpus(const std::filesystem::path& root) {
    const auto cpus = read_cgroup_limits(root).cpus;
    return cpus ? std::optional{static_cast<std::size_t>(
                      std::ceil(std::min(*cpus, static_cast<double>(kMostCpus))))}
                : std::nullopt;
}

std::size_t allowed_cpus() {
    return std::min(affinity_cpus(), quota_cpus().value_or(kMostCpus));
}

}  // namespace smw::app
