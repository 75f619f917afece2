#pragma once
// The command line, as Go's flag package reads it. Pure.

#include "app/option_names.hpp"

namespace smw::app {

struct FlagsRead {
    Reading reading;
    std::vector<std::string> operands;
    bool help = false;
};

[[nodiscard]] FlagsRead read_flags(const Options& options,
                                   const std::vector<std::string>& arguments);

}  // namespace smw::app
