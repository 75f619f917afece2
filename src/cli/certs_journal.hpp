#pragma once
// How files get into a folder together: they are written aside, in a folder of their own, which is
// then declared complete, and moved from there. Who is killed in between has begun what the next
// one finishes, or nothing. For who holds the folder.

#include "smw/base/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace smw::cli {

struct NewFile {
    std::string name;
    std::string content;
    bool is_key = false;  ///< only its owner may read it

    friend bool operator==(const NewFile&, const NewFile&) = default;
};

/// All of them or none: when one cannot be put in place, those that were there before are. A reader
/// sees each file whole.
[[nodiscard]] Expected<void> write_together(const std::filesystem::path& folder,
                                            const std::vector<NewFile>& files);

/// Puts in place what a process that was killed had written completely, unless somebody has changed
/// the folder since, and removes all else that it left.
[[nodiscard]] Expected<void> finish_writing(const std::filesystem::path& folder);

}  // namespace smw::cli
