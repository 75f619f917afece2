#pragma once
// Where `certs inspect` looks: folders, files, Secrets, listeners. What cannot be read becomes a
// finding, so that it is told beside the rest.

#include "cli/certs_report.hpp"
#include "smw/app/open_cluster.hpp"
#include "smw/base/deadline.hpp"
#include "smw/kube/meta.hpp"
#include "smw/tls/inspect_listener.hpp"

#include <istream>
#include <string>
#include <vector>

namespace smw::cli {

/// As `serve` is told by --cert-name and --key-name.
struct CertificateNames {
    std::string chain = "tls.crt";
    std::string key = "tls.key";
};

[[nodiscard]] FoundCertificates read_folder(const std::string& folder,
                                            const CertificateNames& names);

/// A place for each file, of which - is `in`; but one that holds nothing but a key goes with the
/// file before it, or with the next when it is the first. CAs without a key are a bundle.
[[nodiscard]] std::vector<FoundCertificates> read_files(const std::vector<std::string>& files,
                                                        std::istream& in);

using AskCluster = decltype(app::OpenCluster::ask);

[[nodiscard]] FoundCertificates read_secret(const AskCluster& ask, const kube::ObjectKey& key,
                                            const CertificateNames& names);

[[nodiscard]] FoundCertificates read_listener(const tls::ListenerAddress& address,
                                              Deadline deadline);

/// The caBundle of each webhook in the MutatingWebhookConfiguration of that name, or else in the
/// ValidatingWebhookConfiguration. `namespace_` and `name` of a Service become
/// `name.namespace_.svc`, as API servers ask.
[[nodiscard]] Expected<std::vector<TrustAnchor>> read_webhook_configuration(
    const AskCluster& ask, const std::string& name);

}  // namespace smw::cli
