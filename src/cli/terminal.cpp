#include "cli/terminal.hpp"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

namespace smw::cli {
namespace {

std::string_view value_of(const app::EnvironmentVariables& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string_view{} : found->second;
}

}  // namespace

app::EnvironmentVariables read_environment_block(const char* const* block) {
    app::EnvironmentVariables environment;
    for (; *block != nullptr; ++block) {
        const std::string_view entry{*block};
        if (const auto equals = entry.find('='); equals != std::string_view::npos) {
            environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
        }
    }
    return environment;
}

std::size_t columns_of(int descriptor, const app::EnvironmentVariables& environment) {
    std::size_t columns = 80;
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    } else if (std::size_t set = 0; app::set_count(set, 1)(value_of(environment, "COLUMNS"))) {
        columns = set;
    }
    return std::clamp<std::size_t>(columns, 60, 120);
}

bool shows_colours(int descriptor, const app::EnvironmentVariables& environment) {
    const auto terminal = value_of(environment, "TERM");
    return isatty(descriptor) == 1 && !terminal.empty() && terminal != "dumb" &&
           value_of(environment, "NO_COLOR").empty();
}

}  // namespace smw::cli
