#pragma once
// The world as it is judged: what is usable, what is to be published, what is due. Pure.

#include "cert_rotation/judge.hpp"
#include "cert_rotation/request.hpp"
#include "smw/cert_rotation/bundle.hpp"
#include "smw/cert_rotation/rotation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace smw::cert_rotation {

struct Situation {
    Authority in_use;
    Authority next;
    /// Why kInUseSince must be written anew; empty: it is good.
    std::string since_problem;
    WallTime since;
    Request request;
    bool old_is_compromised = false;

    Leaf leaf;
    bool leaf_is_of_ca_in_use = false;

    std::vector<Bundle> entries;
    Bundle recorded;  ///< ca.crt of what replicas serve: as it was published last
    Target target;    ///< without the CAs unless both are usable
    /// Those that were trusted before and are not ours to sign with: trusted now, by our clock.
    Bundle retiring;
    /// When what retires may go; nothing: not before a leaf of the CA in use is served.
    std::optional<WallTime> drop_date;
};

/// What does not change while one decides.
struct Question {
    const Settings& settings;
    const World& world;
    const Memory& memory;
    Now now;
};

[[nodiscard]] Situation judge(const Question& question, std::vector<Bundle> entries);

[[nodiscard]] kube::ObjectKey ca_key(const Settings& settings);
[[nodiscard]] kube::ObjectKey certs_key(const Settings& settings);

/// When `ca` may sign what is served; nothing when it is not in every bundle yet. With no entry of
/// ours there is nobody who must know it.
[[nodiscard]] std::optional<TimePoint> ready_to_sign(const Situation& situation,
                                                     const Question& question, const Authority& ca);

}  // namespace smw::cert_rotation
