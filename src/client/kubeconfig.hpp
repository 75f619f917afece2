#pragma once
// kubeconfig files, merged as client-go merges them (tools/clientcmd/loader.go). Pure.

#include "client/found_cluster.hpp"
#include "smw/base/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace smw::client {

struct KubeconfigFile {
    std::filesystem::path path;  ///< relative paths in the text begin in its folder
    std::string text;
};

/// What the current context says. Of files that define the same the first wins: entry by entry,
/// never field by field. At least one file; files that say nothing are passed over. Files that the
/// text names are not looked at.
[[nodiscard]] Expected<FoundCluster> merge_kubeconfigs(const std::vector<KubeconfigFile>& files);

}  // namespace smw::client
