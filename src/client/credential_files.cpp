#include "client/credential_files.hpp"

#include "client/local_file.hpp"
#include "client/text.hpp"

#include <fmt/format.h>

namespace smw::client {

Expected<std::string> read_token(const std::filesystem::path& file) {
    const auto text = read_local_file(file);
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto token = trim(*text);
    if (token.empty()) {
        return fail(Code::BadRequest, fmt::format("{}: is empty", file.string()));
    }
    if (!is_token(token)) {
        return fail(Code::BadRequest,
                    fmt::format("{}: has characters that no token has", file.string()));
    }
    return std::string{token};
}

Expected<std::string> read_pem(const Pem& pem) {
    if (!pem.data.empty() || pem.file.empty()) {
        return pem.data;
    }
    auto text = read_local_file(pem.file);
    if (text && trim(*text).empty()) {
        return fail(Code::BadRequest, fmt::format("{}: is empty", pem.file.string()));
    }
    return text;
}

Expected<tls::ClientContextSettings> read_tls(const ClusterConfig& config) {
    auto ca = read_pem(config.ca);
    if (!ca) {
        return tl::unexpected(ca.error());
    }
    auto chain = read_pem(config.client_certificate);
    if (!chain) {
        return tl::unexpected(chain.error());
    }
    auto key = read_pem(config.client_key);
    if (!key) {
        return tl::unexpected(key.error());
    }
    tls::ClientContextSettings settings;
    settings.ca_pem = *std::move(ca);
    settings.chain_pem = *std::move(chain);
    settings.key_pem = *std::move(key);
    settings.verify = !config.insecure_skip_tls_verify;
    return settings;
}

}  // namespace smw::client
