#pragma once
// A configuration, and what its parts are called where it came from.

#include "smw/base/error.hpp"
#include "smw/client/cluster_config.hpp"

#include <string>

namespace smw::client {

struct FoundCluster {
    ClusterConfig config;
    /// What an error about a part begins with: "/etc/k.conf: users[dev].user.client-key".
    struct Names {
        std::string ca;
        std::string token_file;
        std::string client_certificate;
        std::string client_key;
    };
    Names names;
};

/// Reads the files that the configuration names and tries the certificates; nothing is kept.
[[nodiscard]] Expected<void> check_files(const FoundCluster& found);

}  // namespace smw::client
