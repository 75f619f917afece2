#pragma once
// --client-ca-file, followed through changes by the rules of the serving pair.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/client_ca.hpp"
#include "smw/tls/reload.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace smw::tls {

struct ClientCaFileSettings {
    std::filesystem::path file;
    Duration poll = std::chrono::seconds{10};
};

/// Publishes each new good CA; a bad file leaves the old one in force. load() and follow() run on
/// one thread; what they publish to is read from any.
class ClientCaFile {
public:
    ClientCaFile(ClientCaFileSettings settings, const Clock& clock, log::Logger logger,
                 metrics::Registry& metrics);

    /// Looks at the file once, and at the clock.
    void load();
    /// load() whenever the file's folder changes, and every poll interval; until cancelled.
    Task<void> follow(boost::asio::any_io_executor executor);

    [[nodiscard]] const async::Snapshot<ClientCa>& cas() const { return cas_; }
    /// Why there is no (good) CA, or a new one is not taken: one clause, or null when all is well.
    [[nodiscard]] std::shared_ptr<const std::string> problem() const { return reload_.problem(); }

private:
    void judge(std::string content);

    ClientCaFileSettings settings_;
    const Clock& clock_;
    Reload reload_;
    async::Snapshot<ClientCa> cas_;
};

}  // namespace smw::tls
