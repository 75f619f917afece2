// What of the Server is about its certificate.

#include "app/server.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace smw::app {

namespace {

/// Whole or not at all: whoever waits for the file never reads half of it.
Expected<void> write_whole(const std::filesystem::path& path, const std::string& content) {
    auto temporary = path;
    temporary += ".tmp";
    std::ofstream file{temporary, std::ios::binary};
    file << content;
    file.close();
    std::error_code error;
    if (file) {
        std::filesystem::rename(temporary, path, error);
    } else {
        error = {errno != 0 ? errno : EIO, std::generic_category()};
    }
    if (error) {
        return fail(Code::Unavailable, fmt::format("writing the CA to {} (--ca-out): {}",
                                                   path.string(), error.message()));
    }
    return {};
}

}  // namespace

std::vector<std::string> Server::service_names() const {
    const auto& service = settings_.service_name;
    const auto& space = settings_.service_namespace;
    // The one that the API server asks for comes first: it is the one that warnings name.
    return {fmt::format("{}.{}.svc", service, space), fmt::format("{}.{}", service, space), service,
            fmt::format("{}.{}.svc.cluster.local", service, space)};
}

const async::Snapshot<tls::ServerContext>& Server::contexts() const {
    return files_ ? files_->contexts() : ephemeral_;
}

std::optional<std::string> Server::certificate_problem() {
    const auto context = contexts().load();
    if (!context) {
        const auto why = files_ ? files_->problem() : nullptr;
        return why ? *why : "there is none yet";
    }
    const auto valid = tls::validity(context->identity(), clock_.wall());
    return valid ? std::nullopt : std::optional{valid.error().message};
}

Expected<void> Server::start_certificates() {
    if (files_) {
        files_->load();
        spawn([this] { return files_->follow(background_.executor()); });
        return {};
    }
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
