#pragma once
// Looking at a folder of manifests: which files are there, in which state, and their content. Reads
// files, so it blocks; never on a FIFO or device.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace smw::watch {

/// What tells one state of a file from the next without reading it. With a `problem` it cannot be
/// read, and the rest says nothing.
struct FileState {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< mtime in ns
    std::int64_t changed = 0;   ///< ctime in ns: sees chmod, and writes that set the mtime back
    std::string problem;
    friend bool operator==(const FileState&, const FileState&) = default;

    /// When it last changed, as far as the file system says.
    [[nodiscard]] WallTime touched() const;
};

/// The manifests of a folder by file name, links followed.
using FolderState = std::map<std::string, FileState>;

[[nodiscard]] Expected<FolderState> scan(const std::filesystem::path& folder);

struct FileContent {
    std::string text;
    FileState state;      ///< of the file that was read
    bool steady = false;  ///< nobody wrote to it meanwhile
};

[[nodiscard]] Expected<FileContent> read_file(const std::filesystem::path& path);

}  // namespace smw::watch
