#include "watch/manifest_folder.hpp"

#include "smw/base/file.hpp"
#include "smw/watch/manifest_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sys/stat.h>
#include <system_error>

namespace smw::watch {
namespace {

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Why a file of that kind and size is not read; empty: it is.
std::string refuse(const struct stat& status) {
    if (const auto why = why_unreadable(status.st_mode); !why.empty()) {
        return std::string{why};
    }
    if (static_cast<std::uint64_t>(status.st_size) > kMaxManifestBytes) {
        return fmt::format("is larger than {} MiB", kMaxManifestBytes >> 20);
    }
    return {};
}

FileState state_of(const struct stat& status) {
    FileState state;
    state.problem = refuse(status);
    if (!state.problem.empty()) {
        return state;
    }
    state.device = status.st_dev;
    state.inode = status.st_ino;
    state.size = static_cast<std::uint64_t>(status.st_size);
    state.modified = nanoseconds(status.st_mtim);
    state.changed = nanoseconds(status.st_ctim);
    return state;
}

/// Nothing when it was deleted since the folder was listed.
std::optional<FileState> look_at(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
        return state_of(status);
    }
    const int error = errno;
    if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) {
        return std::nullopt;
    }
    FileState state;
    state.problem = error == ENOENT ? "is a link to nothing" : system_error(error).message;
    return state;
}

Expected<FileState> state_of(const Descriptor& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        return tl::unexpected(system_error(errno));
    }
    auto state = state_of(status);
    if (!state.problem.empty()) {
        return fail(Code::Unavailable, state.problem);
    }
    return state;
}

}  // namespace

WallTime FileState::touched() const {
    const std::chrono::nanoseconds since_epoch{std::max(modified, changed)};
    return WallTime{std::chrono::duration_cast<WallTime::duration>(since_epoch)};
}

Expected<FolderState> scan(const std::filesystem::path& folder) {
    std::error_code error;
    FolderState found;
    std::filesystem::directory_iterator entry{folder, error};
    for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
        auto name = entry->path().filename().string();
        if (!is_manifest_name(name)) {
            continue;
        }
        if (auto state = look_at(entry->path())) {
            found.emplace(std::move(name), std::move(*state));
        }
    }
    if (error) {
        return fail(Code::Unavailable,
                    fmt::format("reading folder {}: {}", folder.string(), error.message()));
    }
    return found;
}

Expected<FileContent> read_file(const std::filesystem::path& path) {
    // What was a file a moment ago may be anything now.
    const auto file = open_file(path);
    if (!file) {
        return tl::unexpected(file.error());
    }
    const auto before = state_of(*file);
    if (!before) {
        return tl::unexpected(before.error());
    }
    auto text = read_to_end(*file, kMaxManifestBytes);
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto after = state_of(*file);
    FileContent content;
    content.text = std::move(*text);
    content.state = *before;
    content.steady = after && *after == *before && content.text.size() == before->size;
    return content;
}

}  // namespace smw::watch
