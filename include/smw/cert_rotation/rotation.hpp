#pragma once
// The life of self-managed certificates as a state machine: what is to be written next, seen what
// the cluster has. No I/O. One step at a time, each of them safe to repeat: whoever writes may die
// between any two, and the next one goes on from what stands in the cluster.
//
// The promise: what a replica serves is believed by every API server. A CA signs when every bundle
// has had it for ca_publish_wait, and is dropped when what it signed has not been served for
// as long.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"
#include "smw/cert_rotation/world.hpp"
#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"
#include "smw/tls/issue.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::cert_rotation {

struct Settings {
    std::string namespace_;  ///< of both Secrets, and of Events
    std::string ca_secret = "stateful-migration-webhook-ca";
    std::string certs_secret = "stateful-migration-webhook-certs";
    std::vector<std::string> names;  ///< SANs of the leaf; API servers ask for the first
    std::chrono::seconds leaf_lifetime = std::chrono::hours{168};
    /// A CA signs for two thirds of it.
    std::chrono::seconds ca_lifetime = std::chrono::hours{8760};
    /// For so long the CAs of before stay trusted.
    std::chrono::seconds ca_overlap = std::chrono::hours{24};
    /// At most for so long does an API server not know a bundle, or a replica a leaf.
    std::chrono::seconds ca_publish_wait{60};
};

enum class Phase {
    Steady,
    Publishing,       ///< a CA is being made known
    Signing,          ///< the leaf is being renewed
    Overlap,          ///< CAs of before are still trusted
    WaitingForLease,  ///< another replica writes
    Unknown,          ///< not everything has been read yet
};
/// The metric's label: "steady", "waiting-for-lease".
[[nodiscard]] std::string_view to_string(Phase phase);

enum class EventReason {
    CAIssued,
    CARotated,
    CADropped,
    LeafIssued,
    CABundlePublished,
    CABundleMended,  ///< an entry had lost what was published
    SecretMended,
    RotationFailed,  ///< a Warning
};
[[nodiscard]] std::string_view to_string(EventReason reason);

/// One request to the API server. 409 means: look again.
struct Write {
    enum class Target { CaSecret, CertsSecret, Configuration };
    enum class Verb { Create, MergePatch, Apply };
    Target target = Target::CaSecret;
    Verb verb = Verb::Create;
    kube::Resource resource;
    kube::ObjectKey key;
    std::string uid;  ///< empty: it is to be created
    json::Text body;  ///< has keys: never to be shown
    EventReason event = EventReason::CAIssued;
};

struct Plan {
    Phase phase = Phase::Steady;
    /// What is to be done and why, or what is waited for; for the log, and for an Event when
    /// something is written. Names no key.
    std::string reason;
    std::optional<Write> write;  ///< nothing: there is nothing to do before look_again
    TimePoint look_again{};
    /// What comes next by itself, and when.
    std::optional<WallTime> next_date;
    std::string next_step;
    /// Why nothing can be done (RotationFailed); then there is no `write`.
    std::optional<Error> failure;
};

/// Who makes certificates.
struct Issuers {
    std::function<Expected<tls::Issued>(const tls::CaRequest&)> ca = tls::issue_ca;
    std::function<Expected<tls::Issued>(const tls::LeafRequest&, const tls::Issued&)> leaf =
        tls::issue_leaf;
};

struct Now {
    WallTime wall;
    TimePoint steady;
};

/// Since when this process has seen something, on the steady clock. Lost with the process: then the
/// waits begin anew, and no harm is done.
struct Memory {
    std::map<std::string, TimePoint, std::less<>> published;  ///< by SHA-256: in every bundle
    std::string leaf;                                         ///< SHA-256
    TimePoint leaf_since{};
};

/// One thread.
class Rotation {
public:
    explicit Rotation(Settings settings, Issuers issuers = {});

    /// Remembers since when things are as they are. For replicas that do not write: who gets the
    /// Lease then need not wait anew. next() does it by itself.
    void observe(const World& world, TimePoint now);
    /// Makes keys when something is to be written; ask only to do it.
    [[nodiscard]] Plan next(const World& world, const Now& now);

private:
    Settings settings_;
    Issuers issuers_;
    Memory memory_;
};

}  // namespace smw::cert_rotation
