#pragma once
// What the process takes from its container: asked of the system, and said in the log.

#include "app/cgroup.hpp"
#include "smw/app/serve.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace smw::app {

struct Allowance {
    std::size_t cpus = 1;  ///< of the affinity mask
    CgroupLimits cgroup;
    std::optional<std::uint64_t> descriptors;  ///< nothing: no limit
};

/// Raises the soft limit of file descriptors to the hard one, as Go's runtime does: the soft one is
/// for programs that use select(), which this one does not.
[[nodiscard]] Allowance take_allowance();

/// Large blocks of memory go back to the system when they are freed. Else glibc learns from the
/// first large review to keep them, up to 64 MiB for each thread. Before the first thread.
void give_memory_back();

/// One line, and a warning for each thing of which there is too little.
void announce(const Allowance& allowance, const ServeSettings& settings, std::size_t threads,
              const log::Logger& logger);

}  // namespace smw::app
