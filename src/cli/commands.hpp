#pragma once
// Every subcommand of this build.

#include "cli/command.hpp"
#include "smw/app/open_cluster.hpp"
#include "smw/base/clock.hpp"

#include <functional>

namespace smw::cli {

/// The wall clock, or what a test has instead.
using Now = std::function<WallTime()>;

[[nodiscard]] std::unique_ptr<Command> make_serve();
[[nodiscard]] std::unique_ptr<Command> make_review(app::FindOpenCluster find_cluster);
[[nodiscard]] std::unique_ptr<Command> make_certs_inspect(app::FindOpenCluster find_cluster,
                                                          Now now);
[[nodiscard]] std::unique_ptr<Command> make_certs_issue(Now now);
[[nodiscard]] std::unique_ptr<Command> make_certs_rotate(app::FindOpenCluster find_cluster,
                                                         Now now);
[[nodiscard]] std::unique_ptr<Command> make_version();
[[nodiscard]] std::unique_ptr<Command> make_reference();

/// `serve` first: it is what is run without a name.
[[nodiscard]] Commands all_commands();

}  // namespace smw::cli
