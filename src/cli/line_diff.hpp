#pragma once
// What changed between two texts, line by line. Pure.

#include <string>
#include <string_view>

namespace smw::cli {

/// The hunks of a unified diff with three lines of context, as `diff -u` writes them, without the
/// two lines of file names. Empty when the texts are the same. A last line without a newline counts
/// as one with it.
[[nodiscard]] std::string line_diff(std::string_view before, std::string_view after);

}  // namespace smw::cli
