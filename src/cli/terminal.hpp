#pragma once
// What is known about the terminal, if there is one.

#include "smw/app/command_line.hpp"

#include <cstddef>

namespace smw::cli {

/// The environment as a map; of a variable given twice the first counts, as for getenv().
[[nodiscard]] app::EnvironmentVariables read_environment_block(const char* const* block);

/// Columns to write help in: those of the terminal behind `descriptor`, else COLUMNS, else 80; at
/// least 60, at most 120, where lines become hard to read.
[[nodiscard]] std::size_t columns_of(int descriptor, const app::EnvironmentVariables& environment);

/// Whether a terminal is behind `descriptor`, it is not dumb, and NO_COLOR (no-color.org) is not
/// set.
[[nodiscard]] bool shows_colours(int descriptor, const app::EnvironmentVariables& environment);

}  // namespace smw::cli
