#pragma once
// The race for a Lease as a state machine without I/O: what to ask the API server next, and what
// its answers change (client-go tools/leaderelection). A thin shell performs the actions
// (coordination/election.hpp).

#include "smw/base/clock.hpp"
#include "smw/client/api_client.hpp"
#include "smw/coordination/lease.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <variant>

namespace smw::coordination {

/// lease_duration > renew_deadline > retry_period: the difference is how much faster than ours
/// another machine's clock may run.
struct ElectionSettings {
    /// So long without a change, and others take the Lease. Whole seconds.
    Duration lease_duration = std::chrono::seconds{15};
    /// So long after the last renewal its holder does not believe itself.
    Duration renew_deadline = std::chrono::seconds{10};
    /// Between renewals; those who wait look as often, or more rarely, at random.
    Duration retry_period = std::chrono::seconds{2};
};

// What the shell shall do.
struct GetLease {
    friend bool operator==(const GetLease&, const GetLease&) = default;
};
struct CreateLease {
    LeaseRecord record;
    friend bool operator==(const CreateLease&, const CreateLease&) = default;
};
struct UpdateLease {
    LeaseRecord record;
    json::Text object;  ///< the Lease that it replaces, with its resourceVersion
    friend bool operator==(const UpdateLease&, const UpdateLease&) = default;
};
struct Pause {
    TimePoint until;  ///< TimePoint::max() after resign(): there is nothing left to do
    friend bool operator==(const Pause&, const Pause&) = default;
};
using Action = std::variant<GetLease, CreateLease, UpdateLease, Pause>;

/// One thread. Only its own steady clock counts, never the times in a Lease. What it guards must
/// bear two holders for a moment all the same (a machine that stood still does not know it): write
/// with a resourceVersion.
class LeaderElector {
public:
    struct Parts {
        std::string identity;  ///< of this process and no other, past or present
        ElectionSettings settings{};
        std::uint64_t seed = 0;  ///< of jitter
    };
    explicit LeaderElector(Parts parts);

    /// What to do now, begun at once. A Pause ends by itself, or when its holder must notice that
    /// it holds the Lease no more.
    [[nodiscard]] Action next(TimePoint now, WallTime wall);
    /// The action that was given last has failed when there is no answer by then.
    [[nodiscard]] TimePoint answer_by() const;

    // What became of the action.
    void got(Lease lease, TimePoint now);
    void written(Lease lease, TimePoint now);
    /// Whether that is a problem: not when somebody was faster, or when there is no Lease yet.
    bool failed(const client::Failure& failure, TimePoint now);

    /// Not the leader any more, at once and for good. next() frees the Lease if this holds it, or
    /// may hold it by a write that was not answered; it tries no failure twice.
    void resign();
    [[nodiscard]] bool is_resigned() const { return resigned_; }

    /// False from the moment when renew_deadline has passed since the last renewal was asked for,
    /// whether or not anybody called next().
    [[nodiscard]] bool is_leader(TimePoint now) const { return leading_ && now < leading_until_; }
    [[nodiscard]] TimePoint leading_until() const { return leading_until_; }
    /// As the Lease last said; empty: nobody, or not known.
    [[nodiscard]] std::string holder() const;
    /// Why it was last lost, a clause.
    [[nodiscard]] const std::string& lost_because() const { return lost_because_; }

private:
    /// What the next action can build on.
    enum class Known { Nothing, Absent, Takeable };
    enum class Asked { Get, Create, Update };

    [[nodiscard]] Action resignation(WallTime wall);
    [[nodiscard]] LeaseRecord claim(WallTime wall) const;
    [[nodiscard]] LeaseRecord surrender(WallTime wall) const;
    [[nodiscard]] Action update(LeaseRecord record);

    void observe(Lease lease, TimePoint now);
    [[nodiscard]] bool is_ours() const;
    [[nodiscard]] bool is_free(TimePoint now) const;
    void not_ours(TimePoint now);
    void absent();
    void lose(std::string why);
    void notice_expiry(TimePoint now);
    /// Later; a leader sooner.
    void rest(TimePoint now);

    Parts parts_;
    std::mt19937_64 random_;
    Known known_ = Known::Nothing;
    Asked asked_ = Asked::Get;
    TimePoint asked_at_{};
    TimePoint rest_until_ = TimePoint::min();
    std::optional<Lease> seen_;
    TimePoint changed_at_{};  ///< when the record in `seen_` was first seen
    bool leading_ = false;
    TimePoint leading_until_ = TimePoint::min();
    bool may_hold_ = false;  ///< by what was seen, or by a write whose end is not known
    bool conflict_ = false;  ///< the last write came too late
    bool resigned_ = false;
    std::string problem_;  ///< since the last renewal
    std::string lost_because_;
};

}  // namespace smw::coordination
