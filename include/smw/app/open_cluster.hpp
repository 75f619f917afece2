#pragma once
// A cluster, for subcommands: one question after the other, on the calling thread.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"
#include "smw/client/api_client.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/json/document.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace smw::app {

struct OpenCluster {
    /// Both wait for the answer.
    std::function<client::Answered<json::Document>(client::ApiRequest request)> ask;
    std::function<client::Answered<json::Document>(client::ApiWrite write)> change;
    std::function<void(Duration)> pause;  ///< between two questions
    std::vector<std::string> warnings;    ///< to be told once
};

/// What finds one, or what a test has instead.
using FindOpenCluster =
    std::function<Expected<std::optional<OpenCluster>>(const client::ClusterSources& sources)>;

/// client::find_cluster(), and an ApiClient. Connects when it is asked.
[[nodiscard]] Expected<std::optional<OpenCluster>> open_cluster(
    const client::ClusterSources& sources);

}  // namespace smw::app
