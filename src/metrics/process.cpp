#include "metrics/process.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <unistd.h>

namespace smw::metrics {
namespace {

std::string read_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (true) {
        const std::size_t begin = text.find_first_not_of(" \t\n");
        if (begin == std::string_view::npos) {
            return found;
        }
        text.remove_prefix(begin);
        const std::size_t length = std::min(text.find_first_of(" \t\n"), text.size());
        found.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
}

std::optional<std::uint64_t> number(std::string_view word) {
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) {
        return std::nullopt;
    }
    return value;
}

/// The words behind `name` on its line.
std::vector<std::string_view> line_of(std::string_view text, std::string_view name) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) {
        return {};
    }
    text.remove_prefix(at + name.size());
    return words(text.substr(0, text.find('\n')));
}

/// Seconds since the epoch at which the machine started.
std::optional<double> boot_time() {
    const std::string text = read_file("/proc/stat");
    const auto line = line_of(text, "btime ");
    const auto seconds = line.empty() ? std::nullopt : number(line[0]);
    return seconds ? std::optional{static_cast<double>(*seconds)} : std::nullopt;
}

std::optional<double> open_descriptors() {
    std::error_code error;
    std::filesystem::directory_iterator entries("/proc/self/fd", error);
    if (error) {
        return std::nullopt;
    }
    double count = -1;  // the descriptor that reads the folder
    for (const std::filesystem::directory_iterator end; entries != end && !error;
         entries.increment(error)) {
        ++count;
    }
    return count;
}

void add_stat(std::vector<ProcessMetric>& found) {
    const auto stat = parse_process_stat(read_file("/proc/self/stat"));
    if (!stat) {
        return;
    }
    const auto ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    const auto ticks = static_cast<double>(stat->user_ticks + stat->system_ticks);
    found.push_back({"process_cpu_seconds_total",
                     "Total user and system CPU time spent in seconds.", true,
                     ticks / ticks_a_second});
    found.push_back({"process_resident_memory_bytes", "Resident memory size in bytes.", false,
                     static_cast<double>(stat->resident_pages) * page});
    found.push_back({"process_virtual_memory_bytes", "Virtual memory size in bytes.", false,
                     static_cast<double>(stat->virtual_bytes)});
    found.push_back({"process_threads", "Number of OS threads in the process.", false,
                     static_cast<double>(stat->threads)});
    if (const auto boot = boot_time()) {
        found.push_back({"process_start_time_seconds",
                         "Start time of the process since unix epoch in seconds.", false,
                         *boot + static_cast<double>(stat->start_ticks) / ticks_a_second});
    }
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
    // pid (comm) state ppid ...: the command's closing bracket is the last one.
    const std::size_t bracket = text.rfind(')');
    if (bracket == std::string_view::npos) {
        return std::nullopt;
    }
    const auto fields = words(text.substr(bracket + 1));
    // proc(5) counts fields from 1; `state`, the first one here, is 3.
    const auto field = [&](std::size_t at) -> std::optional<std::uint64_t> {
        return at - 3 < fields.size() ? number(fields[at - 3]) : std::nullopt;
    };
    const auto user = field(14);
    const auto system = field(15);
    const auto threads = field(20);
    const auto start = field(22);
    const auto size = field(23);
    const auto resident = field(24);
    if (!user || !system || !threads || !start || !size || !resident) {
        return std::nullopt;
    }
    return ProcessStat{*user, *system, *threads, *start, *size, *resident};
}

std::optional<double> parse_max_open_files(std::string_view text) {
    const auto line = line_of(text, "Max open files");
    if (line.empty()) {
        return std::nullopt;
    }
    if (line[0] == "unlimited") {
        return std::numeric_limits<double>::infinity();
    }
    const auto limit = number(line[0]);
    return limit ? std::optional{static_cast<double>(*limit)} : std::nullopt;
}

std::vector<ProcessMetric> read_process_metrics() {
    std::vector<ProcessMetric> found;
    add_stat(found);
    if (const auto count = open_descriptors()) {
        found.push_back({"process_open_fds", "Number of open file descriptors.", false, *count});
    }
    if (const auto limit = parse_max_open_files(read_file("/proc/self/limits"))) {
        found.push_back(
            {"process_max_fds", "Maximum number of open file descriptors.", false, *limit});
    }
    return found;
}

}  // namespace smw::metrics
