#pragma once
// What people are told of a feed: changes only, and of problems that come and go not every one.

#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/watch/reflector.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace smw::watch {

/// Problems of one resource are told at most this often, and those of rights for themselves: only
/// people can end them, so no other problem may hide them.
inline constexpr Duration kQuietAfterWarning = std::chrono::minutes{1};
/// But an API server that comes back refuses everybody until it knows its roles, some seconds long.
inline constexpr Duration kNoRolesYet = std::chrono::seconds{10};

/// "45s", "12m", "3h5m".
[[nodiscard]] std::string in_words(Duration span);

/// What decides while a resource is not installed.
enum class Absence {
    None,        ///< it is installed
    Remembered,  ///< what was known, until absence has lasted (ReflectorSettings::absent_for_good)
    Complete,    ///< nothing
};
[[nodiscard]] Absence absence_of(const Condition& condition, std::size_t objects);

/// One thread.
class ConditionLog {
public:
    /// When a problem of the resource was last told, and what of its absence; shared by its feeds.
    struct LastWarning {
        std::optional<TimePoint> interrupted;
        std::optional<TimePoint> refused;
        Absence absence = Absence::None;
    };
    struct Parts {
        log::Logger logger;
        std::string resource;
        std::string namespace_;  ///< empty: all
        LastWarning& last_warning;
        TimePoint start;
    };
    struct Sight {
        const Condition& condition;
        bool refused = false;           ///< the problem is one of rights
        std::optional<Duration> stale;  ///< nothing was heard for so long
        std::size_t objects = 0;
        TimePoint now;
    };

    explicit ConditionLog(Parts parts) : parts_(std::move(parts)) {}

    /// Tells what has changed since the last look.
    void look(const Sight& sight);

private:
    void tell_synced(const Sight& sight);
    void tell_absent(const Sight& sight);
    void tell_problem(const Sight& sight);
    void tell_stale(const std::optional<Duration>& stale);
    void tell_skipped(const Sight& sight);

    Parts parts_;
    bool synced_ = false;
    Absence absence_ = Absence::None;
    std::string problem_;                        ///< that was told and has not ended
    std::optional<TimePoint> heard_at_problem_;  ///< Condition::last_heard when it was told
    bool stale_ = false;
    std::uint64_t skipped_ = 0;
};

}  // namespace smw::watch
