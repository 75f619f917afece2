#include "app/cgroup.hpp"

#include "smw/base/file.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace smw::app {

namespace {

namespace fs = std::filesystem;

/// A node with many Pods has a mountinfo of some hundred KiB.
constexpr std::size_t kMostBytes = std::size_t{8} << 20;

/// What v1 says for "no limit" is the largest multiple of a page that fits: less than this is
/// meant.
constexpr std::int64_t kUnlimited = std::int64_t{1} << 60;

/// "" is the v2 hierarchy.
using Controller = std::string_view;

struct Mount {
    Controller controller;
    std::string root;  ///< the cgroup that is mounted there
    fs::path point;
};

std::string read_or_empty(const fs::path& file) {
    return read_file(file, kMostBytes).value_or("");
}

/// Empty parts are kept: they have their place in a line.
std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(separator, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

bool has(const std::vector<std::string_view>& parts, std::string_view wanted) {
    return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

/// proc(5): blanks, newlines and backslashes of a path are written as \ooo.
std::string unescape(std::string_view text) {
    std::string path;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned code = 0;
        const auto digits = text.substr(at + 1, 3);
        const auto* end = digits.data() + digits.size();
        if (text[at] == '\\' && digits.size() == 3 &&
            std::from_chars(digits.data(), end, code, 8).ptr == end) {
            path.push_back(static_cast<char>(code));
            at += digits.size();
        } else {
            path.push_back(text[at]);
        }
    }
    return path;
}

/// Of a line "36 35 98:0 /root /point options optional… - type source super-options".
std::optional<Mount> parse_mount(std::string_view line, Controller controller) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) {
        return std::nullopt;
    }
    const bool is_it = controller.empty()
                           ? dash[1] == "cgroup2"
                           : dash[1] == "cgroup" && has(split(dash[3], ','), controller);
    return is_it ? std::optional{Mount{controller, unescape(fields[3]), unescape(fields[4])}}
                 : std::nullopt;
}

std::vector<Mount> mounts_of(const fs::path& root, Controller controller) {
    const std::string text = read_or_empty(root / "proc/self/mountinfo");
    std::vector<Mount> mounts;
    for (const auto line : split(text, '\n')) {
        if (auto mount = parse_mount(line, controller)) {
            mounts.push_back(*std::move(mount));
        }
    }
    if (text.empty()) {
        mounts.push_back({controller, "/", fs::path{"/sys/fs/cgroup"} / controller});
    }
    return mounts;
}

/// The cgroup of this process in that hierarchy, of /proc/self/cgroup: lines "N:controllers:/path".
std::optional<std::string> membership(const std::string& text, Controller controller) {
    for (const auto line : split(text, '\n')) {
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) {
            continue;
        }
        const auto controllers = line.substr(first + 1, second - first - 1);
        if (controller.empty() ? controllers.empty() : has(split(controllers, ','), controller)) {
            return std::string{line.substr(second + 1)};
        }
    }
    return std::nullopt;
}

/// The way from the mounted cgroup down to ours; nothing when ours is not below it.
std::optional<fs::path> below(const std::string& mounted, const std::string& ours) {
    const std::string top = mounted == "/" ? "" : mounted;
    const bool inside = ours.compare(0, top.size(), top) == 0 &&
                        (ours.size() == top.size() || ours[top.size()] == '/');
    // A path with ".." leaves the cgroup namespace: what is there is not ours to see.
    if (!inside || has(split(ours, '/'), "..")) {
        return std::nullopt;
    }
    return fs::path{ours.substr(top.size())}.relative_path();
}

/// Our cgroup and those above it, as folders. In a container the mount may be its own cgroup,
/// though our path is another: then the mount alone is looked at.
std::vector<fs::path> groups(const fs::path& root, Controller controller) {
    const auto ours = membership(read_or_empty(root / "proc/self/cgroup"), controller);
    std::vector<fs::path> folders;
    if (!ours) {
        return folders;
    }
    const auto mounts = mounts_of(root, controller);
    const bool inside = std::any_of(mounts.begin(), mounts.end(), [&ours](const auto& mount) {
        return below(mount.root, *ours).has_value();
    });
    for (const auto& mount : mounts) {
        const fs::path top = root / mount.point.relative_path();
        auto path = below(mount.root, *ours);
        if (path || !inside) {
            folders.push_back(top);
        }
        for (; path && !path->empty(); path = path->parent_path()) {
            folders.push_back(top / *path);
        }
    }
    return folders;
}

/// The whole of a word or of a file with one line.
std::optional<std::int64_t> number(std::string_view text) {
    text = text.substr(0, text.find('\n'));
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped == end ? std::optional{value} : std::nullopt;
}

std::optional<double> ratio(std::optional<std::int64_t> quota, std::optional<std::int64_t> period) {
    if (!quota || !period || *quota <= 0 || *period <= 0) {
        return std::nullopt;  // v1 has -1 for "no quota", v2 the word max
    }
    return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<double> cpus_v1(const fs::path& group) {
    return ratio(number(read_or_empty(group / "cpu.cfs_quota_us")),
                 number(read_or_empty(group / "cpu.cfs_period_us")));
}

std::optional<double> cpus_v2(const fs::path& group) {
    const std::string text = read_or_empty(group / "cpu.max");
    const auto words = split(text, ' ');
    return words.size() == 2 ? ratio(number(words[0]), number(words[1])) : std::nullopt;
}

std::optional<std::uint64_t> bytes(const fs::path& file) {
    const auto value = number(read_or_empty(file));
    return value && *value >= 0 && *value < kUnlimited
               ? std::optional{static_cast<std::uint64_t>(*value)}
               : std::nullopt;
}

std::optional<std::uint64_t> memory_v1(const fs::path& group) {
    return bytes(group / "memory.limit_in_bytes");
}

std::optional<std::uint64_t> memory_v2(const fs::path& group) {
    return bytes(group / "memory.max");
}

template <class T>
void tighten(std::optional<T>& least, const std::vector<fs::path>& groups,
             std::optional<T> (*read)(const fs::path&)) {
    for (const auto& group : groups) {
        const auto here = read(group);
        if (here && (!least || *here < *least)) {
            least = here;
        }
    }
}

}  // namespace

CgroupLimits read_cgroup_limits(const fs::path& root) {
    const auto unified = groups(root, "");
    CgroupLimits limits;
    tighten(limits.cpus, unified, cpus_v2);
    tighten(limits.cpus, groups(root, "cpu"), cpus_v1);
    tighten(limits.memory, unified, memory_v2);
    tighten(limits.memory, groups(root, "memory"), memory_v1);
    return limits;
}

}  // namespace smw::app
