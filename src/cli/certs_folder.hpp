#pragma once
// The folder of `certs issue`: read whole, written whole or not at all.

#include "smw/base/error.hpp"
#include "smw/base/file.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace smw::cli {

/// What is there; nothing for a file that is not.
struct IssuedFiles {
    std::optional<std::string> ca;
    std::optional<std::string> ca_key;
    std::optional<std::string> chain;
    std::optional<std::string> key;
};

struct NewFile {
    std::string name;
    std::string content;
    bool is_key = false;  ///< only its owner may read it

    friend bool operator==(const NewFile&, const NewFile&) = default;
};

/// Holds the folder against others that issue there, until destroyed.
class IssueFolder {
public:
    /// Makes the folder when it is not there. Conflict when another process has it.
    [[nodiscard]] static Expected<IssueFolder> open(const std::filesystem::path& path);

    [[nodiscard]] Expected<IssuedFiles> read() const;

    /// All of them or none: when one cannot be put in place, those that were there before are. A
    /// reader sees each file whole; a crash of the machine between two renames may leave a key
    /// beside the other certificate, which the next run of `certs issue` mends.
    [[nodiscard]] Expected<void> write(const std::vector<NewFile>& files) const;

private:
    IssueFolder(std::filesystem::path path, Descriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::filesystem::path path_;
    Descriptor lock_;
};

}  // namespace smw::cli
