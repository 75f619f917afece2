#pragma once
// The rules for certificates that come from outside and change: what is taken, what leaves the old
// one in force, and what of it is news. No I/O.

#include "smw/async/snapshot.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::tls {

/// What is followed, for people and for metrics.
struct ReloadLabels {
    std::string_view role;   ///< of smw_certificate_expiry_timestamp_seconds: "serving"
    std::string_view words;  ///< how its log lines begin: "Serving certificate"
    std::string from;        ///< file or folder
};

/// Used on one thread; problem() is read from any.
class Reload {
public:
    Reload(ReloadLabels labels, const Clock& clock, log::Logger logger, metrics::Registry& metrics);

    /// What was seen, and is not taken.
    struct Refused {
        std::string why;
        std::optional<std::string> content;  ///< nothing: no file, so nothing is rejected
        /// Bad for less than 5 s while another is in force, it is no news: that is how a renewal
        /// looks halfway.
        bool may_be_half_written = false;
    };
    /// What was seen, and is in force from now on.
    struct Taken {
        std::string content;
        WallTime expiry;
        std::vector<std::string> warnings;
    };

    [[nodiscard]] bool in_force() const { return in_force_.has_value(); }
    [[nodiscard]] bool in_force(std::string_view content) const { return in_force_ == content; }
    void take(Taken taken);
    /// Said once for each content.
    void refuse(Refused refused);
    /// What was seen is what is in force.
    void settle();
    /// At each look: also what is in force may expire, or become valid at last. Said once a minute.
    void watch_validity(const Expected<void>& valid);

    /// One clause, or null when all is well.
    [[nodiscard]] std::shared_ptr<const std::string> problem() const { return problem_.load(); }

private:
    [[nodiscard]] bool is_news(const Refused& refused);
    void log(log::Level level, std::string_view what, log::Fields fields) const;

    ReloadLabels labels_;
    const Clock& clock_;
    log::Logger logger_;
    metrics::Gauge expiry_;
    metrics::Counter ok_;
    metrics::Counter rejected_;
    async::Snapshot<std::string> problem_;
    std::optional<std::string> in_force_;
    std::optional<Refused> pending_;  ///< since pending_since_, and not told yet
    TimePoint pending_since_{};
    std::optional<Refused> told_;
    std::optional<TimePoint> invalid_told_;  ///< when it was last said that ours is not valid
};

/// For less than this what may be half-written is no news: a look that late is not too late.
inline constexpr std::chrono::seconds kHalfWritten{5};

}  // namespace smw::tls
