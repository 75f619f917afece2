// What must hold between the settings of the process.

#include "smw/app/serve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace smw::app {

namespace {

bool is_given(const Configured& configured, std::string_view name) {
    return std::find(configured.given.begin(), configured.given.end(), name) !=
           configured.given.end();
}

/// "--manifest DIR" has its error already, which suggests the right name.
bool has_error_about(const Configured& configured, std::string_view flag) {
    return std::any_of(configured.errors.begin(), configured.errors.end(),
                       [flag](const auto& error) { return error.find(flag) != std::string::npos; });
}

/// Where state comes from: files, or the cluster that is found.
void check_state(ServeSettings& settings, const Configured& configured,
                 const FindCluster& find_cluster, std::vector<std::string>& errors) {
    client::ClusterSources sources;
    sources.kubeconfig = settings.kubeconfig;
    sources.environment = configured.environment;
    if (settings.service_namespace.empty()) {
        settings.service_namespace = client::own_namespace(sources);
    }
    if (!settings.manifests.empty()) {
        if (is_given(configured, "kubeconfig")) {
            errors.emplace_back(
                "--manifests and --kubeconfig: state comes from files or from a cluster, give one");
        }
        return;
    }
    if (has_error_about(configured, "--manifests") || has_error_about(configured, "--kubeconfig")) {
        return;
    }
    auto found = find_cluster(sources);
    if (!found) {
        errors.push_back("finding the cluster: " + found.error().message);
    } else if (!*found) {
        errors.emplace_back(
            "there is no source of state: give --manifests DIR, a folder with CheckpointBackups "
            "in YAML or JSON files, or run with access to a cluster (--kubeconfig FILE, "
            "KUBECONFIG, in a pod, ~/.kube/config)");
    } else {
        settings.cluster = *std::move(*found);
    }
}

/// A flag that would have no effect is a mistake, above all one that was meant to protect.
void check_callers(const ServeSettings& settings, const Configured& configured,
                   std::vector<std::string>& errors) {
    if (has_error_about(configured, "--client-")) {
        return;
    }
    if (settings.callers.mode != tls::ClientAuth::Off) {
        if (settings.client_ca_file.empty()) {
            errors.emplace_back(
                "--client-auth needs --client-ca-file: the CA that callers' certificates are "
                "verified against");
        }
        return;
    }
    if (!settings.client_ca_file.empty()) {
        errors.emplace_back(
            "--client-ca-file needs --client-auth=report or --client-auth=require: nobody is asked "
            "for a certificate");
    }
    if (!settings.callers.allowed_names.empty()) {
        errors.emplace_back(
            "--client-allowed-names needs --client-auth=report or --client-auth=require: nobody is "
            "asked for a certificate");
    }
}

constexpr std::array<std::string_view, 5> kOfRotation{
    "webhook-configuration", "leaf-lifetime", "ca-lifetime", "ca-overlap", "ca-publish-wait"};

void check_lifetimes(const cert_rotation::Settings& rotation, std::vector<std::string>& errors) {
    if (rotation.leaf_lifetime > rotation.ca_lifetime / 3) {
        errors.emplace_back(
            "--leaf-lifetime must be a third of --ca-lifetime at most: a CA signs until a third of "
            "its life is left");
    }
    if (rotation.ca_publish_wait > rotation.leaf_lifetime / 3) {
        errors.emplace_back(
            "--ca-publish-wait must be a third of --leaf-lifetime at most: a leaf is renewed when "
            "so much of it is left");
    }
    if (rotation.ca_overlap > rotation.ca_lifetime / 3) {
        errors.emplace_back("--ca-overlap must be a third of --ca-lifetime at most");
    }
}

void check_rotation(const ServeSettings& settings, const Configured& configured,
                    std::vector<std::string>& errors) {
    if (settings.certificates == Certificates::SelfManaged) {
        if (!settings.manifests.empty()) {
            errors.emplace_back(
                "--certificates=self-managed needs a cluster, where Secrets and caBundle are: with "
                "--manifests give --certificates=ephemeral or files");
        }
        if (settings.webhook_configurations.empty()) {
            errors.emplace_back(
                "--webhook-configuration names none: no API server would know the "
                "CA");
        }
        auto names = settings.webhook_configurations;
        std::sort(names.begin(), names.end());
        if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
            errors.emplace_back("--webhook-configuration names one twice");
        }
        check_lifetimes(settings.rotation, errors);
        return;
    }
    if (has_error_about(configured, "--certificates")) {
        return;
    }
    for (const auto name : kOfRotation) {
        if (is_given(configured, name)) {
            errors.push_back(fmt::format("--{} needs --certificates=self-managed", name));
        }
    }
}

}  // namespace

std::vector<std::string> check_settings(ServeSettings& settings, const Configured& configured,
                                        const std::vector<std::string>& known_systems,
                                        const FindCluster& find_cluster) {
    std::vector<std::string> errors;
    check_state(settings, configured, find_cluster, errors);
    const bool files = !settings.manifests.empty() || has_error_about(configured, "--manifests");
    if (files && !is_given(configured, "certificates") && !is_given(configured, "cert-dir")) {
        settings.certificates = Certificates::Ephemeral;
    }
    if (!settings.ca_out.empty() && settings.certificates != Certificates::Ephemeral) {
        errors.emplace_back("--ca-out needs --certificates=ephemeral: the CA of files is not ours");
    }
    check_rotation(settings, configured, errors);
    check_callers(settings, configured, errors);
    if (settings.enable.empty()) {
        errors.emplace_back("--enable names no system; there is: " +
                            fmt::format("{}", fmt::join(known_systems, ", ")));
    }
    for (const auto& name : settings.enable) {
        if (std::find(known_systems.begin(), known_systems.end(), name) == known_systems.end()) {
            errors.push_back(fmt::format("--enable: there is no system \"{}\"; there is: {}", name,
                                         fmt::join(known_systems, ", ")));
        }
    }
    return errors;
}

}  // namespace smw::app
