#pragma once
// The configuration that every pod has (rest.InClusterConfig).

#include "client/found_cluster.hpp"
#include "smw/base/error.hpp"

#include <optional>

namespace smw::client {

/// Nothing when the process runs in no pod. Looks for files, and reads the one with the namespace.
[[nodiscard]] Expected<std::optional<FoundCluster>> in_cluster(const ClusterSources& sources);

}  // namespace smw::client
