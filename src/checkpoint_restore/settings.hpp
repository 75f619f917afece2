#pragma once
// What a person may choose about decisions, and the time that they may take.

#include "smw/base/clock.hpp"
#include "smw/base/option.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace smw::checkpoint_restore {

/// How the backup of a CronJob finds the pods of its Jobs.
enum class CronJobMatch {
    OwnerOrName,  ///< by the Job's ownerReference; by name where that says nothing
    Owner,        ///< by the Job's ownerReference only
    Name,         ///< by the Job's name only: no access to Jobs is needed
};

struct Settings {
    std::vector<std::string> namespaces;  ///< empty: all
    CronJobMatch cronjob_match = CronJobMatch::OwnerOrName;
    bool require_pushed_images = false;
    bool annotate_restored = false;
    Duration api_lookup_budget = std::chrono::milliseconds{200};

    [[nodiscard]] bool decides_in(std::string_view namespace_) const;
};

/// The rows that set `settings`, which outlives them.
[[nodiscard]] Options options_of(Settings& settings);
/// Those of them that can change a decision: what `review` has, too.
[[nodiscard]] Options deciding_options(Settings& settings);

}  // namespace smw::checkpoint_restore
