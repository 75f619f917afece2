#pragma once
// The first half of a decision: what the request alone says. Pure.

#include "checkpoint_restore/reason.hpp"
#include "checkpoint_restore/settings.hpp"
#include "smw/admission/review.hpp"
#include "smw/base/error.hpp"
#include "smw/json/document.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::checkpoint_restore {

/// One container of the pod. Views into the request's document.
struct Container {
    std::string_view list;  ///< "containers" or "initContainers"
    std::size_t index = 0;  ///< in its list
    std::string_view name;
    std::optional<std::string_view> image;  ///< nothing when absent or null
};

/// What decisions read of a pod. Views into the request's document.
struct Pod {
    std::string_view namespace_;        ///< where its CheckpointBackups are
    std::string_view name;              ///< while there is none, generateName
    std::string_view job;               ///< name of the Job it belongs to; empty: none
    std::string_view job_uid;           ///< may be empty
    std::vector<Container> containers;  ///< spec.containers, then spec.initContainers
    bool has_annotations = false;
    std::optional<std::string_view> restored_from;  ///< that annotation, when it is looked at
    std::optional<json::Value> object;
};

struct Classified {
    Pod pod;
    std::optional<Reason> settled;  ///< decided already; else `pod` belongs to a Job
    std::string nonce;              ///< with SelfTest: what is to be answered
};

/// A field of the object that cannot be read is BadRequest and names its path, as far as the object
/// had to be read.
[[nodiscard]] Expected<Classified> classify(const admission::Request& request,
                                            const Settings& settings);

}  // namespace smw::checkpoint_restore
