#pragma once
// Every subcommand of this build.

#include "cli/command.hpp"
#include "smw/app/open_cluster.hpp"

namespace smw::cli {

[[nodiscard]] std::unique_ptr<Command> make_serve();
[[nodiscard]] std::unique_ptr<Command> make_review(app::FindOpenCluster find_cluster);
[[nodiscard]] std::unique_ptr<Command> make_version();
[[nodiscard]] std::unique_ptr<Command> make_reference();

/// `serve` first: it is what is run without a name.
[[nodiscard]] Commands all_commands();

}  // namespace smw::cli
