#include "smw/app/systems.hpp"

#include "smw/checkpoint_restore/system.hpp"

#include <array>

namespace smw::app {

std::span<const system::Factory> system_factories() {
    static constexpr std::array<system::Factory, 1> kFactories{
        checkpoint_restore::make_system,
    };
    return kFactories;
}

}  // namespace smw::app
