#pragma once
// --certificates=files: a folder with a chain and a key, followed through changes.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/server_context.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>
#include <optional>
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

/// Why there is no (good) certificate, or empty. For /readyz.
using CertificateProblem = async::Snapshot<std::string>;

/// Publishes a context for each new good pair; a bad pair leaves the old one serving. load() and
/// follow() run on one thread; what they publish to is read from any.
class CertificateFiles {
public:
    CertificateFiles(CertificateFilesSettings settings, const Clock& clock, log::Logger logger,
                     metrics::Registry& metrics);

    /// Looks at the files once, and at the clock. What is bad for less than 5 s while another pair
    /// serves is no news: that is how a renewal looks halfway.
    void load();
    /// load() whenever the folder changes, and every poll interval; until cancelled.
    Task<void> follow(boost::asio::any_io_executor executor);

    [[nodiscard]] const async::Snapshot<ServerContext>& contexts() const { return contexts_; }
    /// One clause, or null when all is well.
    [[nodiscard]] std::shared_ptr<const std::string> problem() const { return problem_.load(); }

private:
    struct Pair {
        std::string chain;
        std::string key;

        friend bool operator==(const Pair&, const Pair&) = default;
    };
    /// A pair that is not taken.
    struct Refused {
        std::string why;
        Pair pair;  ///< empty when there are no files
        bool may_be_half_written = false;
    };

    [[nodiscard]] Expected<Pair> read() const;
    void judge(Pair pair);
    void take(Pair pair, const Identity& identity, std::shared_ptr<const ServerContext> context);
    void refuse(Refused refused);
    void settle();
    void watch_validity();

    CertificateFilesSettings settings_;
    const Clock& clock_;
    log::Logger logger_;
    metrics::Gauge expiry_;
    metrics::Counter reloads_ok_;
    metrics::Counter reloads_rejected_;
    async::Snapshot<ServerContext> contexts_;
    CertificateProblem problem_;
    Pair serving_;
    std::optional<Refused> pending_;  ///< since pending_since_, and not told yet
    TimePoint pending_since_{};
    std::optional<Refused> told_;
    std::optional<TimePoint> invalid_told_;  ///< when it was last said that ours is not valid
};

}  // namespace smw::tls
