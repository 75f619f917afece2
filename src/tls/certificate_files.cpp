#include "smw/tls/certificate_files.hpp"

#include "smw/async/folder_watcher.hpp"
#include "smw/base/file.hpp"
#include "smw/tls/inspect.hpp"

#include <algorithm>

namespace smw::tls {

CertificateFiles::CertificateFiles(CertificateFilesSettings settings, const Clock& clock,
                                   log::Logger logger, metrics::Registry& metrics)
    : settings_(std::move(settings)),
      serving_({settings_.folder.string(), settings_.expected_names, settings_.server}, clock,
               std::move(logger), metrics) {}

void CertificateFiles::load() {
    auto chain = read_file(settings_.folder / settings_.certificate_name, kMostCertificateBytes);
    if (!chain) {
        serving_.see_none(chain.error().message);
        return;
    }
    auto key = read_file(settings_.folder / settings_.key_name, kMostCertificateBytes);
    if (!key) {
        serving_.see_none(key.error().message);
        return;
    }
    serving_.see(*std::move(chain), *std::move(key));
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
