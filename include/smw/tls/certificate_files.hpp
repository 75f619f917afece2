#pragma once
// --certificates=files: a folder with a chain and a key, followed through changes.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/reload.hpp"
#include "smw/tls/server_context.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace smw::tls {

struct CertificateFilesSettings {
    std::filesystem::path folder;
    std::string certificate_name = "tls.crt";
    std::string key_name = "tls.key";
    std::vector<std::string> expected_names;
    ServerSettings server;
    Duration poll = std::chrono::seconds{10};
};

/// Publishes a context for each new good pair; a bad pair leaves the old one serving. load() and
/// follow() run on one thread; what they publish to is read from any.
class CertificateFiles {
public:
    CertificateFiles(CertificateFilesSettings settings, const Clock& clock, log::Logger logger,
                     metrics::Registry& metrics);

    /// Looks at the files once, and at the clock.
    void load();
    /// load() whenever the folder changes, and every poll interval; until cancelled.
    Task<void> follow(boost::asio::any_io_executor executor);

    [[nodiscard]] const async::Snapshot<ServerContext>& contexts() const { return contexts_; }
    /// Why there is no (good) certificate, or a new one is not taken: one clause, or null when all
    /// is well.
    [[nodiscard]] std::shared_ptr<const std::string> problem() const { return reload_.problem(); }

private:
    struct Pair {
        std::string chain;
        std::string key;
    };

    [[nodiscard]] Expected<Pair> read() const;
    void judge(Pair pair, std::string content);

    CertificateFilesSettings settings_;
    const Clock& clock_;
    Reload reload_;
    async::Snapshot<ServerContext> contexts_;
};

}  // namespace smw::tls
