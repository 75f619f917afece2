#include "cli/commands.hpp"

#include "cli/help.hpp"

namespace smw::cli {

Commands all_commands() {
    Commands commands;
    commands.push_back(make_serve());
    commands.push_back(make_review(app::open_cluster));
    commands.push_back(make_certs_inspect(app::open_cluster, std::chrono::system_clock::now));
    commands.push_back(make_certs_issue(std::chrono::system_clock::now));
    commands.push_back(make_certs_rotate(app::open_cluster, std::chrono::system_clock::now));
    commands.push_back(make_version());
    commands.push_back(make_reference());
    commands.push_back(make_help());
    return commands;
}

}  // namespace smw::cli
