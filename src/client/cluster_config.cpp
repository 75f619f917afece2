#include "smw/client/cluster_config.hpp"

#include "client/environment.hpp"
#include "client/found_cluster.hpp"
#include "client/in_cluster.hpp"
#include "client/kubeconfig.hpp"
#include "client/local_file.hpp"

#include <algorithm>
#include <utility>

namespace smw::client {
namespace {

using Paths = std::vector<std::filesystem::path>;

/// Empty parts and repetitions are left out.
Paths split_list(std::string_view list) {
    Paths paths;
    while (!list.empty()) {
        const auto end = std::min(list.find(':'), list.size());
        const std::filesystem::path path{list.substr(0, end)};
        if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) {
            paths.push_back(path);
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return paths;
}

/// Nothing when none of the files exists.
Expected<std::optional<FoundCluster>> from_files(const Paths& paths) {
    std::vector<KubeconfigFile> files;
    for (const auto& path : paths) {
        auto text = read_local_file(path);
        if (text) {
            files.push_back({path, *std::move(text)});
        } else if (text.error().code != Code::NotFound) {
            return tl::unexpected(text.error());
        }
    }
    if (files.empty()) {
        return std::optional<FoundCluster>{};
    }
    auto found = merge_kubeconfigs(files);
    if (!found) {
        return tl::unexpected(found.error());
    }
    return std::optional<FoundCluster>{*std::move(found)};
}

Expected<std::optional<FoundCluster>> from_given_file(const std::filesystem::path& path) {
    auto text = read_local_file(path);
    if (!text) {
        return tl::unexpected(text.error());
    }
    auto found = merge_kubeconfigs({{path, *std::move(text)}});
    if (!found) {
        return tl::unexpected(found.error());
    }
    return std::optional<FoundCluster>{*std::move(found)};
}

Expected<std::optional<FoundCluster>> first_of(const ClusterSources& sources) {
    if (!sources.kubeconfig.empty()) {
        return from_given_file(sources.kubeconfig);
    }
    const auto list = variable(sources, "KUBECONFIG");
    auto found = from_files(split_list(list));
    if (!found || *found) {
        return found;
    }
    found = in_cluster(sources);
    if (!found || *found) {
        return found;
    }
    // Files of the variable that are missing are none, but nor is the one at home meant (client-go
    // tools/clientcmd/loader.go, NewDefaultClientConfigLoadingRules).
    const auto home = variable(sources, "HOME");
    return !list.empty() || home.empty()
               ? found
               : from_files({std::filesystem::path{home} / ".kube" / "config"});
}

}  // namespace

Expected<std::optional<ClusterConfig>> find_cluster(const ClusterSources& sources) {
    auto found = first_of(sources);
    if (!found) {
        return tl::unexpected(found.error());
    }
    if (!*found) {
        return std::optional<ClusterConfig>{};
    }
    if (auto good = check_files(**found); !good) {
        return tl::unexpected(good.error());
    }
    return std::optional<ClusterConfig>{std::move((*found)->config)};
}

}  // namespace smw::client
