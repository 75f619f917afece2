#pragma once

#include "smw/client/cluster_config.hpp"

#include <string_view>

namespace smw::client {

/// An environment variable; empty and unset are the same, as client-go has it.
[[nodiscard]] inline std::string_view variable(const ClusterSources& sources,
                                               std::string_view name) {
    const auto found = sources.environment.find(name);
    return found == sources.environment.end() ? std::string_view{} : found->second;
}

}  // namespace smw::client
