#include "client/credential_files.hpp"
#include "client/found_cluster.hpp"

#include <fmt/format.h>

#include <utility>

namespace smw::client {
namespace {

/// The part's name, and its file when it has one.
std::string label(const std::string& name, const Pem& pem) {
    return pem.data.empty() && !pem.file.empty() ? fmt::format("{}: {}", name, pem.file.string())
                                                 : name;
}

Expected<std::string> read_named(const std::string& name, const Pem& pem) {
    auto text = read_pem(pem);
    if (!text) {
        return annotate(std::move(text).error(), name);
    }
    return text;
}

Expected<void> check_context(const std::string& name, const tls::ClientContextSettings& settings) {
    const auto context = tls::ClientContext::make(settings);
    if (!context) {
        return annotate(context.error(), name);
    }
    return {};
}

Expected<void> check_ca(const FoundCluster& found) {
    const auto& pem = found.config.ca;
    auto text = read_named(found.names.ca, pem);
    if (!text) {
        return tl::unexpected(text.error());
    }
    tls::ClientContextSettings settings;
    settings.ca_pem = *std::move(text);
    settings.verify = !found.config.insecure_skip_tls_verify;
    return check_context(label(found.names.ca, pem), settings);
}

Expected<void> check_client(const FoundCluster& found) {
    const auto& config = found.config;
    auto chain = read_named(found.names.client_certificate, config.client_certificate);
    if (!chain) {
        return tl::unexpected(chain.error());
    }
    auto key = read_named(found.names.client_key, config.client_key);
    if (!key) {
        return tl::unexpected(key.error());
    }
    tls::ClientContextSettings settings;
    settings.chain_pem = *std::move(chain);
    settings.key_pem = *std::move(key);
    settings.verify = false;  // which CA is trusted is another question
    return check_context(label(found.names.client_certificate, config.client_certificate),
                         settings);
}

}  // namespace

Expected<void> check_files(const FoundCluster& found) {
    const auto& config = found.config;
    if (!config.token_file.empty()) {
        if (const auto token = read_token(config.token_file); !token) {
            return annotate(token.error(), found.names.token_file);
        }
    }
    if (config.tls && !config.ca.empty()) {
        if (auto good = check_ca(found); !good) {
            return good;
        }
    }
    if (config.tls && !config.client_certificate.empty()) {
        return check_client(found);
    }
    return {};
}

}  // namespace smw::client
