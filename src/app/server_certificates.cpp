// What of the Server is about certificates: its own, and its callers'.

#include "app/server.hpp"
#include "smw/base/file.hpp"
#include "smw/tls/issue.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <random>
#include <unistd.h>

namespace smw::app {

namespace {

/// Whole or not at all: whoever waits for the file never reads half of it.
Expected<void> write_whole(const std::filesystem::path& path, const std::string& content) {
    if (auto written = write_file(path, content); !written) {
        return fail(Code::Unavailable, fmt::format("writing the CA to {} (--ca-out): {}",
                                                   path.string(), written.error().message));
    }
    return {};
}

/// Of this process and no other: in a Pod its name, and something that a restart does not have.
std::string own_identity() {
    std::array<char, 256> host{};
    const bool known = ::gethostname(host.data(), host.size() - 1) == 0;
    return fmt::format("{}_{:08x}", known ? host.data() : "unknown", std::random_device{}());
}

}  // namespace

std::vector<std::string> Server::service_names() const {
    return tls::dns_names({settings_.service_name, settings_.service_namespace});
}

void Server::make_certificates() {
    switch (settings_.certificates) {
        case Certificates::Ephemeral:
            return;
        case Certificates::SelfManaged:
            make_self_managed();
            return;
        case Certificates::Files:
            break;
    }
    tls::CertificateFilesSettings files;
    files.folder = settings_.cert_dir;
    files.certificate_name = settings_.cert_name;
    files.key_name = settings_.key_name;
    files.expected_names = service_names();
    files.server = settings_.tls;
    files_ = std::make_unique<tls::CertificateFiles>(std::move(files), clock_,
                                                     logger_.named("certificates"), metrics_);
}

void Server::make_self_managed() {
    auto rotation = settings_.rotation;
    rotation.namespace_ = settings_.service_namespace;
    rotation.names = service_names();
    self_managed_ = std::make_unique<cert_rotation::SelfManaged>(
        cert_rotation::SelfManaged::Parts{std::move(rotation),
                                          {settings_.service_namespace, settings_.service_name},
                                          settings_.webhook_configurations,
                                          settings_.tls,
                                          own_identity(),
                                          *api_,
                                          clock_,
                                          logger_.named("certificates"),
                                          metrics_});
}

void Server::make_callers() {
    if (settings_.callers.mode == tls::ClientAuth::Off) {
        return;
    }
    tls::ClientCaFileSettings file;
    file.file = settings_.client_ca_file;
    const auto logger = logger_.named("callers");
    client_ca_ = std::make_unique<tls::ClientCaFile>(std::move(file), clock_, logger, metrics_);
    callers_ =
        std::make_unique<tls::Callers>(settings_.callers, client_ca_->cas(), logger, metrics_);
}

const tls::Serving* Server::serving() const {
    if (self_managed_) {
        return &self_managed_->serving();
    }
    return files_ ? &files_->serving() : nullptr;
}

const async::Snapshot<tls::ServerContext>& Server::contexts() const {
    const auto* followed = serving();
    return followed != nullptr ? followed->contexts() : ephemeral_;
}

std::optional<std::string> Server::certificate_problem() {
    const auto context = contexts().load();
    if (!context) {
        const auto why = serving() != nullptr ? serving()->problem() : nullptr;
        return why ? *why : "there is none yet";
    }
    const auto valid = tls::validity(context->identity(), clock_.wall());
    return valid ? std::nullopt : std::optional{valid.error().message};
}

std::optional<std::string> Server::client_ca_problem() {
    const auto ca = client_ca_->cas().load();
    if (!ca) {
        const auto why = client_ca_->problem();
        return why ? *why : "there is none yet";
    }
    const auto valid = ca->validity(clock_.wall());
    return valid ? std::nullopt : std::optional{valid.error().message};
}

namespace {

/// What is wrong with the files beside `said`: what is in force may be well meanwhile.
std::optional<std::string> not_taken(const std::shared_ptr<const std::string>& problem,
                                     const std::optional<std::string>& said) {
    return problem && *problem != said ? std::optional{*problem} : std::nullopt;
}

}  // namespace

void Server::add_certificate_checks(std::vector<Check>& checks) {
    checks.push_back({"certificate", [this] {
                          return certificate_problem();
                      }});
    if (serving() != nullptr) {
        const auto problem = [this] {
            return not_taken(serving()->problem(), certificate_problem());
        };
        checks.push_back({files_ ? "certificate-files" : "certificate-secret", problem, false});
    }
    if (self_managed_) {
        const auto problem = [this] {
            return self_managed_->problem();
        };
        checks.push_back({"certificate-rotation", problem, false});
    }
    if (client_ca_) {
        // With report nobody is refused for want of it.
        const bool required = settings_.callers.mode == tls::ClientAuth::Require;
        const auto problem = [this] {
            return client_ca_problem();
        };
        const auto file_problem = [this] {
            return not_taken(client_ca_->problem(), client_ca_problem());
        };
        checks.push_back({"client-ca", problem, required});
        checks.push_back({"client-ca-file", file_problem, false});
    }
}

Expected<void> Server::start_certificates() {
    if (client_ca_) {
        client_ca_->load();
        spawn([this] { return client_ca_->follow(background_.executor()); });
    }
    if (self_managed_) {
        for (auto& task : self_managed_->tasks()) {
            spawn(std::move(task));
        }
        return {};
    }
    if (files_) {
        files_->load();
        spawn([this] { return files_->follow(background_.executor()); });
        return {};
    }
    return make_ephemeral();
}

Expected<void> Server::make_ephemeral() {
    tls::Expectation expectation{service_names(), clock_.wall()};
    expectation.names.insert(expectation.names.end(), {"localhost", "127.0.0.1", "::1"});
    if (!settings_.webhook_bind_address.empty()) {
        expectation.names.push_back(settings_.webhook_bind_address);
    }
    auto made = tls::make_ephemeral(expectation);
    if (!made) {
        return tl::unexpected(made.error());
    }
    using std::chrono::duration_cast;
    const auto expiry = made->identity.not_after.time_since_epoch();
    metrics_
        .gauge({"smw_certificate_expiry_timestamp_seconds",
                "When a certificate expires, in seconds since 1970.",
                {"role"}})
        .with({"serving"})
        .set(static_cast<double>(duration_cast<std::chrono::seconds>(expiry).count()));
    auto context = tls::ServerContext::make(std::move(made->identity), settings_.tls);
    if (!context) {
        return tl::unexpected(context.error());
    }
    ephemeral_.publish(std::move(*context));
    return settings_.ca_out.empty() ? Expected<void>{}
                                    : write_whole(settings_.ca_out, made->ca_pem);
}

}  // namespace smw::app
