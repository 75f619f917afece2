#include "smw/tls/certificate_files.hpp"

#include "smw/async/folder_watcher.hpp"
#include "smw/base/file.hpp"

#include <algorithm>

namespace smw::tls {

namespace {

/// Far above any chain; below what would hurt.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

}  // namespace

CertificateFiles::CertificateFiles(CertificateFilesSettings settings, const Clock& clock,
                                   log::Logger logger, metrics::Registry& metrics)
    : settings_(std::move(settings)),
      clock_(clock),
      reload_({"serving", "Serving certificate", settings_.folder.string()}, clock,
              std::move(logger), metrics) {}

Expected<CertificateFiles::Pair> CertificateFiles::read() const {
    auto chain = read_file(settings_.folder / settings_.certificate_name, kMostBytes);
    if (!chain) {
        return tl::unexpected(chain.error());
    }
    auto key = read_file(settings_.folder / settings_.key_name, kMostBytes);
    if (!key) {
        return tl::unexpected(key.error());
    }
    return Pair{std::move(*chain), std::move(*key)};
}

void CertificateFiles::load() {
    auto pair = read();
    if (!pair) {
        reload_.refuse({pair.error().message, std::nullopt, true});
    } else {
        std::string content = pair->chain + '\0' + pair->key;
        if (reload_.in_force(content)) {
            reload_.settle();
        } else {
            judge(std::move(*pair), std::move(content));
        }
    }
    if (const auto context = contexts_.load()) {
        reload_.watch_validity(validity(context->identity(), clock_.wall()));
    }
}

/// Again at each look, so that a pair that is not valid yet is taken when its time has come.
void CertificateFiles::judge(Pair pair, std::string content) {
    const WallTime now = clock_.wall();
    auto identity =
        make_identity(std::move(pair.chain), std::move(pair.key), {settings_.expected_names, now});
    if (!identity) {
        reload_.refuse({identity.error().message, std::move(content), true});
        return;
    }
    // An expired pair at the start is served: a caller may still accept it, and refusing helps
    // nobody. Later the old pair is better.
    const auto valid = validity(*identity, now);
    if (!valid && reload_.in_force()) {
        reload_.refuse({valid.error().message, std::move(content), false});
        return;
    }
    Reload::Taken taken{std::move(content), identity->not_after, identity->warnings};
    auto context = ServerContext::make(std::move(*identity), settings_.server);
    if (!context) {
        reload_.refuse({context.error().message, std::move(taken.content), false});
        return;
    }
    contexts_.publish(std::move(*context));
    reload_.take(std::move(taken));
}

Task<void> CertificateFiles::follow(boost::asio::any_io_executor executor) {
    async::FolderWatcher watcher{executor, settings_.folder,
                                 std::min(settings_.poll, Duration{kHalfWritten})};
    for (;;) {
        load();
        co_await watcher.wait();
    }
}

}  // namespace smw::tls
