#pragma once
// What Linux says about this process (proc(5)), under the names every Prometheus client uses.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace smw::metrics {

struct ProcessMetric {
    std::string_view name;
    std::string_view help;
    bool counts = false;  ///< a counter, else a gauge
    double value = 0;
};

/// Of /proc/<pid>/stat, in the units of the file.
struct ProcessStat {
    std::uint64_t user_ticks = 0;
    std::uint64_t system_ticks = 0;
    std::uint64_t threads = 0;
    std::uint64_t start_ticks = 0;  ///< since boot
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_pages = 0;

    friend bool operator==(const ProcessStat&, const ProcessStat&) = default;
};

/// The program's name in it may hold blanks and brackets.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// The soft limit of "Max open files" in /proc/<pid>/limits.
[[nodiscard]] std::optional<double> parse_max_open_files(std::string_view text);

/// What can be read of the own process; what cannot is left out.
[[nodiscard]] std::vector<ProcessMetric> read_process_metrics();

}  // namespace smw::metrics
