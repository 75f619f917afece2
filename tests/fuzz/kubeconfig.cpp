// Kubeconfig files, two when a zero byte stands between them.

#include "client/kubeconfig.hpp"

#include "client/server_url.hpp"
#include "client/text.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {

void kubeconfig(std::string_view bytes) {
    std::vector<client::KubeconfigFile> files;
    files.push_back({"/etc/one/k.conf", std::string{take_until(bytes, '\0')}});
    if (!bytes.empty()) {
        files.push_back({"/etc/two/k.conf", std::string{bytes}});
    }
    const auto found = client::merge_kubeconfigs(files);
    if (!found) {
        check(found.error().message.starts_with("/etc/"), "an error that names no file");
        check(is_one_line(found.error().message), "an error that is more than a line");
        return;
    }
    const auto& config = found->config;
    const auto host = client::parse_host(config.host);
    check(host && *host == config.host, "a host that is none");
    check(config.port != 0, "a port that is none");
    check(!config.path.ends_with('/') && client::is_token(config.path + "x"),
          "a path that is none");
    check(config.token.empty() || client::is_token(config.token), "a token that no header carries");
    check(client::is_header_value(config.as.user) && client::is_header_value(config.as.uid),
          "an impersonation that no header carries");
    for (const auto& group : config.as.groups) {
        check(client::is_header_value(group), "a group that no header carries");
    }
    for (const auto& path : {config.ca.file, config.token_file, config.client_key.file}) {
        check(path.empty() || path.is_absolute(), "a path that depends on where we are");
    }
    check(is_one_line(config.source), "a source that is more than a line");
    for (const auto& warning : config.warnings) {
        check(is_one_line(warning), "a warning that is more than a line");
    }
}

}  // namespace smw::fuzz
