#pragma once
// What the Job and CronJob controllers would make of a manifest, as far as an admission decision
// can see it. Pure.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"

namespace smw::cli {

/// The pod that the Job controller creates: pod template, generateName, labels, finalizer and owner
/// (kubernetes pkg/controller/job). A mistyped or missing field is BadRequest and names its path.
[[nodiscard]] Expected<json::Text> pod_of_job(json::Value job);

/// The Job that the CronJob controller creates, for some round: `<name>-<minutes since 1970>`
/// (kubernetes pkg/controller/cronjob).
[[nodiscard]] Expected<json::Text> job_of_cronjob(json::Value cronjob);

}  // namespace smw::cli
