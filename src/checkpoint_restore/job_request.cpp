#include "checkpoint_restore/job_request.hpp"

#include "checkpoint_restore/resources.hpp"

namespace smw::checkpoint_restore {

client::ApiRequest job_request(const JobQuestion& question) {
    client::ApiRequest request;
    request.verb = "get";
    request.resource = batch_jobs();
    request.namespace_ = question.namespace_;
    request.name = question.name;
    request.metadata_only = true;
    return request;
}

std::optional<Owner> read_owner(const JobQuestion& question, json::Value answer) {
    const auto key = watch::read_object_key(answer);
    if (!key || key->namespace_ != question.namespace_ || key->name != question.name) {
        return std::nullopt;
    }
    const auto job = read_job(*key, answer);
    Owner owner;
    owner.state = Owner::State::Known;
    owner.uid = job->uid;
    owner.cronjob = job->cronjob;
    return owner;
}

bool is_another(const JobQuestion& question, const Owner& owner) {
    return !owner.uid.empty() && !question.uid.empty() && owner.uid != question.uid;
}

}  // namespace smw::checkpoint_restore
