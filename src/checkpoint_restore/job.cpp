#include "checkpoint_restore/job.hpp"

namespace smw::checkpoint_restore {

std::shared_ptr<const Job> read_job(const kube::ObjectKey& key, json::Value object) {
    auto job = std::make_shared<Job>();
    job->namespace_ = key.namespace_;
    job->name = key.name;
    const auto metadata = object.find("metadata");
    if (!metadata) {
        return job;
    }
    if (const auto uid = metadata->find("uid")) {
        job->uid = uid->string().value_or(std::string_view{});
    }
    // Owners that cannot be read are as absent, like every mistyped field of what others write.
    if (const auto owners = kube::read_owner_references(*metadata, "metadata")) {
        if (const auto* owner = kube::find_owner(*owners, "batch", "CronJob")) {
            job->cronjob = std::string{owner->name};
        }
    }
    return job;
}

Owner owner_from(const JobStore& jobs, const watch::ObjectKeyView& key) {
    const auto job = jobs.read([&](const JobIndex& index) { return index.find(key); });
    Owner owner;
    owner.state = Owner::State::Known;
    if (job) {
        owner.uid = job->uid;
        owner.cronjob = job->cronjob;
    }
    return owner;
}

}  // namespace smw::checkpoint_restore
