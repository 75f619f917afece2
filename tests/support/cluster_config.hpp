#pragma once
// The way to a FakeApiServer.

#include "smw/client/cluster_config.hpp"
#include "support/fake_api_server.hpp"

namespace smw::test {

/// Trusts its certificate and has the token "t".
inline client::ClusterConfig config_of(const FakeApiServer& server) {
    client::ClusterConfig config;
    config.host = "127.0.0.1";
    config.port = server.port();
    config.ca.data = server.ca_pem();
    config.token = "t";
    return config;
}

}  // namespace smw::test
