#pragma once
// How the API server is asked for a Job, and what its answer says: the same for the server and for
// `review`. Pure.

#include "checkpoint_restore/job_cache.hpp"
#include "smw/client/api_client.hpp"

#include <optional>

namespace smw::checkpoint_restore {

/// GET of the Job's metadata.
[[nodiscard]] client::ApiRequest job_request(const JobQuestion& question);

/// Known; nothing when the answer is about anything else than that Job. The uid is that of the
/// answer: decide() compares it.
[[nodiscard]] std::optional<Owner> read_owner(const JobQuestion& question, json::Value answer);

/// Both say a uid, and not the same.
[[nodiscard]] bool is_another(const JobQuestion& question, const Owner& owner);

}  // namespace smw::checkpoint_restore
