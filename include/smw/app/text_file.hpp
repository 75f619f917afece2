#pragma once
// Small files that a person wrote, read whole.

#include "smw/base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <istream>
#include <string>

namespace smw::app {

/// "no such file", "is a folder", "is larger than 64 MiB": one clause, without the name.
[[nodiscard]] Expected<std::string> read_text_file(const std::filesystem::path& file,
                                                   std::size_t limit);
/// The same for what is open already: standard input.
[[nodiscard]] Expected<std::string> read_text(std::istream& stream, std::size_t limit);

}  // namespace smw::app
