#pragma once
// The steps, in the order in which they are looked at: each says whether it is due, and writes it.
// Pure but for the keys that are made.

#include "cert_rotation/situation.hpp"
#include "smw/cert_rotation/bodies.hpp"
#include "smw/cert_rotation/rotation.hpp"

#include <optional>
#include <string>

namespace smw::cert_rotation {

struct Draft {
    const Question& question;
    const Situation& situation;
    const Issuers& issuers;

    [[nodiscard]] const Settings& settings() const { return question.settings; }
    [[nodiscard]] const World& world() const { return question.world; }
    [[nodiscard]] WallTime wall() const { return question.now.wall; }
};

/// Something that is due as soon as a CA has been published for long enough.
struct Pending {
    std::string what;
    /// Nothing: it is not in every bundle, and that is to be mended first.
    std::optional<TimePoint> ready;

    [[nodiscard]] bool is_ready(TimePoint now) const { return ready && *ready <= now; }
};

/// 1. The CA's Secret has two CAs that can sign, and the next is good for what it was made for.
[[nodiscard]] std::optional<Plan> mend_authorities(const Draft& draft);
/// 2. What is trusted today is written down before a bundle changes: should somebody empty the
/// bundles now, it would be forgotten.
[[nodiscard]] std::optional<Plan> record_retiring(const Draft& draft);
/// 3. Every bundle has what it must have, and no more than it may.
[[nodiscard]] std::optional<Plan> publish(const Draft& draft);
/// 4. The next CA takes the place of the one in use.
[[nodiscard]] std::optional<Pending> rotation_pending(const Draft& draft);
[[nodiscard]] Plan rotate(const Draft& draft);
/// 5. What replicas serve is good, of the CA in use, and lasts.
[[nodiscard]] std::optional<Pending> leaf_pending(const Draft& draft);
[[nodiscard]] Plan sign_leaf(const Draft& draft);
/// 6. ca.crt says what is published.
[[nodiscard]] std::optional<Plan> update_record(const Draft& draft);
/// 7. Nothing is to be done now.
[[nodiscard]] Plan wait(const Draft& draft, const std::vector<Pending>& pending);

/// What comes next by itself; phase Steady or Overlap.
[[nodiscard]] Plan outlook(const Draft& draft);

/// A plan to write one of the Secrets.
struct SecretWrite {
    Write::Target target = Write::Target::CaSecret;
    SecretChange change;
    EventReason event = EventReason::CAIssued;
    Phase phase = Phase::Publishing;
    std::string reason;
};
[[nodiscard]] Plan plan_secret(const Draft& draft, const SecretWrite& write);
[[nodiscard]] Plan plan_failure(const Draft& draft, Error error);

}  // namespace smw::cert_rotation
