#pragma once
// The environment twins of the flags. Pure.

#include "app/option_names.hpp"

namespace smw::app {

[[nodiscard]] Reading read_environment(const Options& options, const Invocation& invocation);

}  // namespace smw::app
