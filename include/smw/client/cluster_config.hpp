#pragma once
// Where the API server is and how to speak to it: from kubeconfig files or from inside a pod, as
// client-go reads them (tools/clientcmd, rest/config.go).

#include "smw/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace smw::client {

/// PEM text, or the file that has it and may be written anew.
struct Pem {
    std::string data;
    std::filesystem::path file;  ///< read when `data` is empty
    [[nodiscard]] bool empty() const { return data.empty() && file.empty(); }
    friend bool operator==(const Pem&, const Pem&) = default;
};

/// Headers Impersonate-*.
struct Impersonation {
    std::string user;
    std::string uid;
    std::vector<std::string> groups;
    friend bool operator==(const Impersonation&, const Impersonation&) = default;
};

struct ClusterConfig {
    std::string source;  ///< for people: "in-cluster", "kubeconfig /etc/k.conf, context dev"
    bool tls = true;     ///< false: http://
    std::string host;    ///< without brackets
    std::uint16_t port = 443;
    std::string path;  ///< put before every path: "" or "/k8s/clusters/c-1", without trailing slash
    Pem ca;            ///< empty: the system's
    bool insecure_skip_tls_verify = false;
    std::string tls_server_name;
    std::string token;
    std::filesystem::path token_file;  ///< beats `token`
    Pem client_certificate;
    Pem client_key;
    Impersonation as;
    std::vector<std::string> warnings;  ///< to be logged once
    friend bool operator==(const ClusterConfig&, const ClusterConfig&) = default;
};

/// What a process is told about clusters.
struct ClusterSources {
    std::string kubeconfig;  ///< --kubeconfig; empty: not given
    std::map<std::string, std::string, std::less<>> environment;
    std::filesystem::path service_account = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// Of this process: POD_NAMESPACE, the service account's file, "default".
[[nodiscard]] std::string own_namespace(const ClusterSources& sources);

/// The first of --kubeconfig, KUBECONFIG, in-cluster, ~/.kube/config; nothing when there is none.
/// With KUBECONFIG set the file at home does not count, even when none of its files is there.
/// Reads files. An error names file and field ("/etc/k.conf: users[dev].client-key-data is no
/// base64"), and never shows a secret. What can be checked without the API server is checked: files
/// are there, the certificate fits its key.
[[nodiscard]] Expected<std::optional<ClusterConfig>> find_cluster(const ClusterSources& sources);

}  // namespace smw::client
