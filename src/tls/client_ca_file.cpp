#include "smw/tls/client_ca_file.hpp"

#include "smw/async/folder_watcher.hpp"
#include "smw/base/file.hpp"
#include "smw/tls/inspect.hpp"

#include <algorithm>

namespace smw::tls {

ClientCaFile::ClientCaFile(ClientCaFileSettings settings, const Clock& clock, log::Logger logger,
                           metrics::Registry& metrics)
    : settings_(std::move(settings)),
      clock_(clock),
      reload_({"client-ca", "Client CA", settings_.file.string()}, clock, std::move(logger),
              metrics) {}

void ClientCaFile::load() {
    auto content = read_file(settings_.file, kMostCertificateBytes);
    if (!content) {
        reload_.refuse({content.error().message, std::nullopt, true});
    } else if (reload_.in_force(*content)) {
        reload_.settle();
    } else {
        judge(std::move(*content));
    }
    if (const auto ca = cas_.load()) {
        reload_.watch_validity(ca->validity(clock_.wall()));
    }
}

/// Again at each look, so that a CA that is not valid yet is taken when its time has come.
void ClientCaFile::judge(std::string content) {
    const WallTime now = clock_.wall();
    auto ca = ClientCa::make(content, now);
    if (!ca) {
        reload_.refuse({ca.error().message, std::move(content), true});
        return;
    }
    // As with a pair: at the start also one that is out of date is better than none.
    const auto valid = (*ca)->validity(now);
    if (!valid && reload_.in_force()) {
        reload_.refuse({valid.error().message, std::move(content), false});
        return;
    }
    Reload::Taken taken{std::move(content), (*ca)->expiry(), (*ca)->warnings()};
    cas_.publish(std::move(*ca));
    reload_.take(std::move(taken));
}

Task<void> ClientCaFile::follow(boost::asio::any_io_executor executor) {
    const auto parent = settings_.file.parent_path();
    async::FolderWatcher watcher{executor, parent.empty() ? "." : parent,
                                 std::min(settings_.poll, Duration{kHalfWritten})};
    for (;;) {
        load();
        co_await watcher.wait();
    }
}

}  // namespace smw::tls
