#pragma once
// The server as a whole: everything is made here, in the order of its dependencies, and ended in
// reverse.

#include "smw/app/command_line.hpp"
#include "smw/base/log.hpp"
#include "smw/cert_rotation/rotation.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/http/listener.hpp"
#include "smw/system/system.hpp"
#include "smw/tls/caller.hpp"
#include "smw/tls/server_context.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smw::app {

enum class Certificates { Files, SelfManaged, Ephemeral };
enum class OnError { Allow, Fail };

struct ServeSettings {
    std::string webhook_bind_address;
    std::uint16_t webhook_port = 9443;
    BindAddress health_probe_bind_address{true, "", 8081};
    BindAddress metrics_bind_address{true, "", 8080};
    Certificates certificates = Certificates::Files;
    std::string cert_dir = "/tmp/k8s-webhook-server/serving-certs";
    std::string cert_name = "tls.crt";
    std::string key_name = "tls.key";
    std::string ca_out;
    cert_rotation::Settings rotation;
    std::vector<std::string> webhook_configurations{"stateful-migration-pod-mutator-alt"};
    std::string service_name = "stateful-migration-webhook-service";
    std::string service_namespace;
    tls::ServerSettings tls;
    tls::CallerPolicy callers;
    std::string client_ca_file;
    std::string manifests;
    std::string kubeconfig;
    /// What check_settings() finds when state does not come from files.
    std::optional<client::ClusterConfig> cluster;
    std::chrono::steady_clock::duration max_staleness = std::chrono::minutes{10};
    std::chrono::steady_clock::duration watch_silence = std::chrono::seconds{130};
    std::size_t threads = 0;  ///< 0: min(4, CPUs allowed)
    std::chrono::steady_clock::duration shutdown_delay = std::chrono::seconds{15};
    std::chrono::steady_clock::duration drain_timeout = std::chrono::seconds{25};
    http::Limits limits;
    std::size_t max_in_flight = 256;
    OnError on_error = OnError::Allow;
    log::Settings log;
    std::vector<std::string> enable{"checkpoint-restore"};
    /// The original's flags that mean nothing here: accepted, and said so in the log.
    std::vector<std::string> ignored;
};

/// The rows of the process; those of the systems come after them. They write into `settings`.
[[nodiscard]] Options serve_options(ServeSettings& settings);

/// client::find_cluster, or what a test has instead of this machine.
using FindCluster = std::function<Expected<std::optional<client::ClusterConfig>>(
    const client::ClusterSources& sources)>;

/// What is wrong with the settings as a whole, a line each: no source of state, an unknown system.
/// Looks for a cluster, in the environment that was configured from, unless there are manifests.
[[nodiscard]] std::vector<std::string> check_settings(ServeSettings& settings,
                                                      const Configured& configured,
                                                      const std::vector<std::string>& known_systems,
                                                      const FindCluster& find_cluster);

using Systems = std::vector<std::unique_ptr<system::System>>;

/// Serves until SIGTERM or SIGINT. The exit status: 0 after an orderly stop, 1 after a failure that
/// was logged. Call on the main thread before any other is started.
int serve(const ServeSettings& settings, Systems systems);

}  // namespace smw::app
