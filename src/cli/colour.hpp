#pragma once
// --color, which every command that prints for people has.

#include "smw/app/command_line.hpp"

namespace smw::cli {

enum class Colour { Auto, Always, Never };

/// The row of --color. `target` outlives it.
[[nodiscard]] Option colour_option(const std::string& group, Colour& target);

/// `terminal`: Console::shows_colours.
[[nodiscard]] bool is_coloured(Colour colour, bool terminal);

}  // namespace smw::cli
