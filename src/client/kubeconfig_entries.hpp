#pragma once
// The fields of a kubeconfig's cluster and user that we read (tools/clientcmd/api/v1/types.go).
// Pure.

#include "client/found_cluster.hpp"
#include "client/kubeconfig_mapping.hpp"
#include "smw/base/error.hpp"

#include <filesystem>

namespace smw::client {

struct KubeconfigEntry {
    KubeconfigMapping mapping;
    std::filesystem::path folder;  ///< of the file that defines it
};

[[nodiscard]] Expected<void> read_cluster(const KubeconfigEntry& cluster, FoundCluster& found);
/// After read_cluster(): credentials over plain HTTP are worth a warning.
[[nodiscard]] Expected<void> read_user(const KubeconfigEntry& user, FoundCluster& found);

}  // namespace smw::client
