#pragma once
// A Lease of coordination.k8s.io/v1 as a value: who does what only one may do. No I/O.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace smw::coordination {

/// LeaseSpec. What is absent or mistyped is as here. The times are of the holder's clock: people
/// read them, nobody else.
struct LeaseRecord {
    std::string holder_identity;  ///< empty: nobody
    std::int64_t lease_duration_seconds = 0;
    std::optional<WallTime> acquire_time;
    std::optional<WallTime> renew_time;
    std::int64_t lease_transitions = 0;
    friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

struct Lease {
    LeaseRecord record;
    json::Text object;  ///< all of it, as the API server gave it
    friend bool operator==(const Lease&, const Lease&) = default;
};

/// BadRequest when `object` is no Lease, or has no metadata.resourceVersion: without that, an
/// update would overwrite whatever came in between.
[[nodiscard]] Expected<Lease> read_lease(json::Value object);

/// A new Lease.
[[nodiscard]] json::Text lease_body(const kube::ObjectKey& key, const LeaseRecord& record);
/// `object` with another spec, and all else as it was, the resourceVersion, too.
[[nodiscard]] Expected<json::Text> lease_body(const json::Text& object, const LeaseRecord& record);

}  // namespace smw::coordination
