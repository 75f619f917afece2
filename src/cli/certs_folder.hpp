#pragma once
// The folder of `certs issue`: read whole, written whole or not at all.

#include "cli/certs_journal.hpp"
#include "smw/base/error.hpp"
#include "smw/base/file.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace smw::cli {

/// What is there; nothing for a file that is not.
struct IssuedFiles {
    std::optional<std::string> ca;
    std::optional<std::string> ca_key;
    std::optional<std::string> chain;
    std::optional<std::string> key;
    mode_t ca_key_mode = 0;  ///< permission bits
    mode_t key_mode = 0;
};

/// Holds the folder against others that issue there, until destroyed.
class IssueFolder {
public:
    /// Makes the folder when it is not there. Conflict when another process has it.
    [[nodiscard]] static Expected<IssueFolder> open(const std::filesystem::path& path);

    [[nodiscard]] Expected<IssuedFiles> read() const;

    /// All of them or none. A reader sees each file whole. When the process is killed, the next
    /// open() finishes what was written completely.
    [[nodiscard]] Expected<void> write(const std::vector<NewFile>& files) const;

private:
    IssueFolder(std::filesystem::path path, Descriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::filesystem::path path_;
    Descriptor lock_;
};

}  // namespace smw::cli
