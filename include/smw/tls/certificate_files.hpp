#pragma once
// --certificates=files: a folder with a chain and a key, followed through changes.

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/serving.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
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

/// load() and follow() run on one thread; what serving() publishes is read from any.
class CertificateFiles {
public:
    CertificateFiles(CertificateFilesSettings settings, const Clock& clock, log::Logger logger,
                     metrics::Registry& metrics);

    /// Looks at the files once, and at the clock.
    void load();
    /// load() whenever the folder changes, and every poll interval; until cancelled.
    Task<void> follow(boost::asio::any_io_executor executor);

    [[nodiscard]] const Serving& serving() const { return serving_; }

private:
    CertificateFilesSettings settings_;
    Serving serving_;
};

}  // namespace smw::tls
