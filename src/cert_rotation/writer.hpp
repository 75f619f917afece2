#pragma once
// Performs what a Rotation plans, while this replica holds the Lease.

#include "cert_rotation/rotation_meters.hpp"
#include "smw/async/signal.hpp"
#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/backoff.hpp"
#include "smw/cert_rotation/bodies.hpp"
#include "smw/cert_rotation/rotation.hpp"
#include "smw/client/api_client.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace smw::cert_rotation {

/// That guards what a Writer does, in the namespace of the Secrets.
inline constexpr std::string_view kLease = "stateful-migration-webhook-certificates";

/// The background loop's thread, except where said.
class Writer {
public:
    /// The references outlive it.
    struct Parts {
        Settings settings;
        std::string identity;
        client::ApiClient& api;
        const Clock& clock;
        log::Logger logger;
        metrics::Registry& metrics;
        /// Nothing while not everything is known.
        std::function<std::optional<World>()> look;
        std::function<bool()> may_write;
        std::function<std::string()> holder;  ///< of the Lease, for people
    };
    explicit Writer(Parts parts);

    /// One plan and what comes of it, then a wait for the next; again and again.
    Task<void> round();
    /// There is news: of the cluster, or of the Lease.
    void wake() { news_.raise(); }

    /// Why it does not go on; null when all is well. Any thread.
    [[nodiscard]] std::shared_ptr<const std::string> problem() const { return problem_.load(); }

private:
    /// When to look again, unless there is news.
    Task<TimePoint> step();
    /// A write, the resourceVersion that it was judged by, and why.
    struct Due {
        Write write;
        std::string before;
        std::string reason;
    };
    Task<TimePoint> perform(Due due);
    Task<void> shown(const Due& due);
    Task<void> tell(EventRecord event);

    [[nodiscard]] TimePoint now() const { return parts_.clock.now(); }
    void show(const Plan& plan);
    void note(const Write& write);
    /// Who undoes what is written; empty: nobody.
    [[nodiscard]] std::string quarrel() const;
    /// Empty: all is well.
    void be_stuck(const std::string& why);
    /// Told at once, and each minute; when to try again.
    Task<TimePoint> failed(EventRecord event, std::string why);
    /// Without a reason and what it says.
    [[nodiscard]] EventRecord event_about(kube::Resource resource, std::string name) const;

    Parts parts_;
    Rotation rotation_;
    RotationMeters meters_;
    const TimePoint started_;
    Backoff backoff_;
    TimePoint not_before_{};  ///< of the next step
    int conflicts_ = 0;       ///< in a row
    /// The step that was done last, and how often in a row.
    struct Last {
        std::string what;
        TimePoint at = TimePoint::min();
        Duration pause{};
        int times = 0;
    };
    Last last_;
    async::Signal news_;
    async::Snapshot<std::string> problem_;
    std::string told_;                           ///< the last plan that was logged
    TimePoint failure_told_ = TimePoint::min();  ///< when; the minimum: it was not
};

}  // namespace smw::cert_rotation
