#include "client/kubeconfig_entries.hpp"

#include "client/server_url.hpp"
#include "client/text.hpp"
#include "smw/base/base64.hpp"

#include <fmt/format.h>

#include <utility>

namespace smw::client {
namespace {

struct NamedPem {
    Pem pem;
    std::string name;  ///< of the field that has it
};

/// `key`-data beats `key`.
Expected<NamedPem> read_pem_field(const KubeconfigEntry& entry, const std::string& key) {
    const std::string data_key = key + "-data";
    const auto data = entry.mapping.text(data_key);
    if (!data) {
        return tl::unexpected(data.error());
    }
    auto file = entry.mapping.text(key);
    if (!file) {
        return tl::unexpected(file.error());
    }
    NamedPem named;
    if (!data->empty()) {
        auto decoded = decode_base64(*data);
        if (!decoded || decoded->empty()) {
            return entry.mapping.refuse(data_key, "is no base64");
        }
        named.pem.data = *std::move(decoded);
        named.name = entry.mapping.name(data_key);
    } else if (!file->empty()) {
        named.pem.file = entry.folder / *file;  // an absolute path stays as it is
        named.name = entry.mapping.name(key);
    }
    return named;
}

/// A text that goes into a header.
Expected<std::string> read_header_field(const KubeconfigMapping& mapping, std::string_view key) {
    auto text = mapping.text(key);
    if (text && !is_header_value(*text)) {
        return mapping.refuse(key, "has characters that no header can carry");
    }
    return text;
}

/// A field that we know and do not speak.
struct Refused {
    std::string_view key;
    std::string_view instead;
};

Expected<void> refuse_fields(const KubeconfigMapping& mapping,
                             std::initializer_list<Refused> fields) {
    for (const auto& field : fields) {
        if (mapping.has(field.key)) {
            return mapping.refuse(field.key, fmt::format("is not supported: {}", field.instead));
        }
    }
    return {};
}

Expected<void> read_server(const KubeconfigMapping& cluster, ClusterConfig& config) {
    const auto text = cluster.text("server");
    if (!text) {
        return tl::unexpected(text.error());
    }
    if (text->empty()) {
        return cluster.refuse("server", "is missing");
    }
    auto url = parse_server_url(*text);
    if (!url) {
        return cluster.refuse("server", url.error().message);
    }
    config.tls = url->tls;
    config.host = std::move(url->host);
    config.port = url->port;
    config.path = std::move(url->path);
    return {};
}

Expected<void> read_trust(const KubeconfigEntry& cluster, FoundCluster& found) {
    auto& config = found.config;
    auto ca = read_pem_field(cluster, "certificate-authority");
    if (!ca) {
        return tl::unexpected(ca.error());
    }
    const auto insecure = cluster.mapping.flag("insecure-skip-tls-verify");
    if (!insecure) {
        return tl::unexpected(insecure.error());
    }
    if (*insecure && !ca->pem.empty()) {
        return cluster.mapping.refuse("insecure-skip-tls-verify",
                                      "cannot be true beside a certificate-authority");
    }
    if (*insecure && config.tls) {
        config.warnings.push_back(
            fmt::format("{} is true: whoever answers is believed to be the API server",
                        cluster.mapping.name("insecure-skip-tls-verify")));
    }
    config.insecure_skip_tls_verify = *insecure;
    config.ca = std::move(ca->pem);
    found.names.ca = std::move(ca->name);
    return {};
}

Expected<void> read_token_fields(const KubeconfigEntry& user, FoundCluster& found) {
    auto& config = found.config;
    auto token = user.mapping.text("token");
    if (!token) {
        return tl::unexpected(token.error());
    }
    if (!token->empty() && !is_token(*token)) {
        return user.mapping.refuse("token", "has characters that no token has");
    }
    const auto file = user.mapping.text("tokenFile");
    if (!file) {
        return tl::unexpected(file.error());
    }
    config.token = *std::move(token);
    if (!file->empty()) {
        config.token_file = user.folder / *file;
        found.names.token_file = user.mapping.name("tokenFile");
    }
    return {};
}

Expected<void> read_client_certificate(const KubeconfigEntry& user, FoundCluster& found) {
    auto certificate = read_pem_field(user, "client-certificate");
    if (!certificate) {
        return tl::unexpected(certificate.error());
    }
    auto key = read_pem_field(user, "client-key");
    if (!key) {
        return tl::unexpected(key.error());
    }
    if (!certificate->pem.empty() && key->pem.empty()) {
        return fail(Code::BadRequest,
                    fmt::format("{}: needs a client-key beside it", certificate->name));
    }
    if (certificate->pem.empty() && !key->pem.empty()) {
        return fail(Code::BadRequest,
                    fmt::format("{}: needs a client-certificate beside it", key->name));
    }
    found.config.client_certificate = std::move(certificate->pem);
    found.config.client_key = std::move(key->pem);
    found.names.client_certificate = std::move(certificate->name);
    found.names.client_key = std::move(key->name);
    return {};
}

Expected<void> read_impersonation(const KubeconfigMapping& user, Impersonation& as) {
    auto name = read_header_field(user, "as");
    if (!name) {
        return tl::unexpected(name.error());
    }
    auto uid = read_header_field(user, "as-uid");
    if (!uid) {
        return tl::unexpected(uid.error());
    }
    auto groups = user.texts("as-groups");
    if (!groups) {
        return tl::unexpected(groups.error());
    }
    for (std::size_t index = 0; index < groups->size(); ++index) {
        if (!is_header_value((*groups)[index])) {
            return user.refuse(fmt::format("as-groups[{}]", index),
                               "has characters that no header can carry");
        }
    }
    if (name->empty() && !(uid->empty() && groups->empty())) {
        return user.refuse(uid->empty() ? "as-groups" : "as-uid", "needs a user in as beside it");
    }
    as.user = *std::move(name);
    as.uid = *std::move(uid);
    as.groups = *std::move(groups);
    return {};
}

}  // namespace

Expected<void> read_cluster(const KubeconfigEntry& cluster, FoundCluster& found) {
    if (auto good = refuse_fields(cluster.mapping,
                                  {{"proxy-url",
                                    "API servers are reached directly; give the address of a "
                                    "forwarder as server"}});
        !good) {
        return good;
    }
    if (auto good = read_server(cluster.mapping, found.config); !good) {
        return good;
    }
    auto name = cluster.mapping.text("tls-server-name");
    if (!name) {
        return tl::unexpected(name.error());
    }
    if (!name->empty() && !parse_host(*name)) {
        return cluster.mapping.refuse("tls-server-name", "is no host name");
    }
    found.config.tls_server_name = *std::move(name);
    return read_trust(cluster, found);
}

Expected<void> read_user(const KubeconfigEntry& user, FoundCluster& found) {
    constexpr std::string_view kInstead = "use a token, a tokenFile or a client-certificate";
    if (auto good = refuse_fields(
            user.mapping, {{"exec", kInstead},
                           {"auth-provider", kInstead},
                           {"username", kInstead},
                           {"password", kInstead},
                           {"as-user-extra", "impersonate with as, as-uid and as-groups only"}});
        !good) {
        return good;
    }
    if (auto good = read_token_fields(user, found); !good) {
        return good;
    }
    if (auto good = read_client_certificate(user, found); !good) {
        return good;
    }
    auto& config = found.config;
    if (!config.tls && !(config.token.empty() && config.token_file.empty())) {
        config.warnings.push_back(fmt::format(
            "{} goes to the API server over http://, where everybody on the way can read it",
            user.mapping.name(config.token_file.empty() ? "token" : "tokenFile")));
    }
    return read_impersonation(user.mapping, config.as);
}

}  // namespace smw::client
