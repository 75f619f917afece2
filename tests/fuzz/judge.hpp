#pragma once
// A review's body judged as the server does it, and the answer checked by nlohmann.

#include "checkpoint_restore/handler.hpp"
#include "smw/admission/review.hpp"

#include <span>
#include <string>

namespace smw::fuzz {

/// What is around a review.
struct Surroundings {
    const checkpoint_restore::BackupStore& backups;
    checkpoint_restore::Settings settings;
    checkpoint_restore::Owner owner;  ///< what is answered when the owner is asked for
};

/// Throws a Violation when the answer is none, does not fit, or changes more than images.
void judge(const admission::Request& request, const Surroundings& surroundings);

/// Every combination of settings and owners that decides differently.
[[nodiscard]] std::vector<Surroundings> all_surroundings(
    const checkpoint_restore::BackupStore& backups);

}  // namespace smw::fuzz
