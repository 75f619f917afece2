#pragma once
// What somebody meant who mistyped a name.

#include <span>
#include <string>
#include <string_view>

namespace smw::app {

/// The candidate with the fewest letters added, dropped, changed or swapped with their neighbour;
/// the first of several. Empty when none is near: more than two edits, or more than half of the
/// word.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string> candidates);

/// "; did you mean --webhook-port?" or nothing. `prefix` is put before the candidate.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates,
                                       std::string_view prefix = {});

}  // namespace smw::app
