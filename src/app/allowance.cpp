#include "app/allowance.hpp"

#include "app/budgets.hpp"
#include "app/cpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <malloc.h>
#include <sys/resource.h>

namespace smw::app {

namespace {

std::optional<std::uint64_t> raise_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return std::nullopt;
    }
    rlimit raised = limit;
    raised.rlim_cur = raised.rlim_max;
    if (raised.rlim_cur != limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    std::optional<std::uint64_t> descriptors;
    if (limit.rlim_cur != RLIM_INFINITY) {
        descriptors = limit.rlim_cur;
    }
    return descriptors;
}

}  // namespace

Allowance take_allowance() {
    return {affinity_cpus(), read_cgroup_limits(), raise_descriptors()};
}

void give_memory_back() {
    // What ordinary reviews need stays below it: it is recycled without asking the system.
    constexpr int kLarge = 1 << 20;
    ::mallopt(M_MMAP_THRESHOLD, kLarge);
    ::mallopt(M_TRIM_THRESHOLD, kLarge);
}

void announce(const Allowance& allowance, const ServeSettings& settings, std::size_t threads,
              const log::Logger& logger) {
    const auto& [cpus, cgroup, descriptors] = allowance;
    const Needed needed = needed_for(settings.limits, threads);
    const auto number = [](std::uint64_t value) {
        constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
        return static_cast<std::int64_t>(std::min(value, kMost));
    };
    const std::string quota = cgroup.cpus ? fmt::format("{:g}", *cgroup.cpus) : "none";
    const std::string most = descriptors ? std::to_string(*descriptors) : "none";
    const std::string memory = cgroup.memory ? in_mebibytes(*cgroup.memory) : "none";
    const std::string memory_needed = in_mebibytes(needed.memory());
    logger.info("Resources", {{"threads", number(threads)},
                              {"cpus", number(cpus)},
                              {"cpuQuota", quota},
                              {"descriptors", most},
                              {"descriptorsNeeded", number(needed.descriptors)},
                              {"memoryLimit", memory},
                              {"memoryNeeded", memory_needed},
                              {"maxConnections", number(settings.limits.max_connections)},
                              {"maxBytesInFlight", number(settings.limits.max_bytes_in_flight)},
                              {"maxBodyBytes", number(settings.limits.max_body_bytes)}});
    for (const auto& missing : shortfalls({descriptors, cgroup.memory}, settings.limits, threads)) {
        logger.warn(missing.message, {{"limit", missing.given},
                                      {"needed", missing.needed},
                                      {"consequence", missing.consequence},
                                      {"remedy", missing.remedy}});
    }
}

}  // namespace smw::app
