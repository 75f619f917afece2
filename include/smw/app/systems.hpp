#pragma once

#include "smw/system/system.hpp"

#include <span>

namespace smw::app {

/// Every system of this build. Adding one is a folder, and a line in systems.cpp.
[[nodiscard]] std::span<const system::Factory> system_factories();

}  // namespace smw::app
