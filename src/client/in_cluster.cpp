#include "client/in_cluster.hpp"

#include "client/environment.hpp"
#include "client/local_file.hpp"
#include "client/server_url.hpp"
#include "client/text.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace smw::client {
namespace {

constexpr std::string_view kHost = "KUBERNETES_SERVICE_HOST";
constexpr std::string_view kPort = "KUBERNETES_SERVICE_PORT";

void find_ca(const ClusterSources& sources, FoundCluster& found) {
    const auto ca = sources.service_account / "ca.crt";
    std::error_code error;
    const auto type = std::filesystem::status(ca, error).type();
    if (type == std::filesystem::file_type::not_found) {
        found.config.warnings.push_back(fmt::format(
            "{} is missing: the system's certificates decide who is the API server", ca.string()));
        return;
    }
    found.config.ca.file = ca;
}

}  // namespace

std::string own_namespace(const ClusterSources& sources) {
    if (const auto given = trim(variable(sources, "POD_NAMESPACE")); !given.empty()) {
        return std::string{given};
    }
    const auto file = read_local_file(sources.service_account / "namespace");
    const auto text = file ? trim(*file) : std::string_view{};
    return text.empty() ? "default" : std::string{text};
}

Expected<std::optional<FoundCluster>> in_cluster(const ClusterSources& sources) {
    const auto host_text = variable(sources, kHost);
    const auto port_text = variable(sources, kPort);
    if (host_text.empty() || port_text.empty()) {
        return std::optional<FoundCluster>{};
    }
    auto host = parse_host(host_text);
    if (!host) {
        return fail(Code::BadRequest, fmt::format("{}: {}", kHost, host.error().message));
    }
    const auto port = parse_port(port_text);
    if (!port) {
        return fail(Code::BadRequest, fmt::format("{}: {}", kPort, port.error().message));
    }
    FoundCluster found;
    found.config.source = "in-cluster";
    found.config.host = *std::move(host);
    found.config.port = *port;
    found.config.token_file = sources.service_account / "token";
    find_ca(sources, found);
    // Whoever is no pod and sees this learns why it was taken for one.
    const auto name = fmt::format("in-cluster, because {} is set", kHost);
    found.names = {name, name, name, name};
    return std::optional<FoundCluster>{std::move(found)};
}

}  // namespace smw::client
