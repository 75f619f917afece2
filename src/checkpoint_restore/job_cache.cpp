#include "checkpoint_restore/job_cache.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::checkpoint_restore {
namespace {

/// RFC 1123: a label, and a subdomain, which is labels and dots.
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxSubdomain = 253;
/// A uid has 36 characters; a pod may claim megabytes, which would be kept.
constexpr std::size_t kMaxKeptUid = 128;

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text, std::size_t most, std::string_view between) {
    return !text.empty() && text.size() <= most && is_plain(text.front()) &&
           is_plain(text.back()) && std::ranges::all_of(text, [between](char c) {
               return is_plain(c) || between.find(c) != std::string_view::npos;
           });
}

bool may_be_kept(const std::string& uid) {
    return !uid.empty() && uid.size() <= kMaxKeptUid;
}

}  // namespace

bool JobQuestion::can_exist() const {
    return is_name(namespace_, kMaxLabel, "-") && is_name(name, kMaxSubdomain, "-.");
}

std::string JobQuestion::text() const {
    // Neither a namespace nor a name that can exist has a slash.
    return fmt::format("{}/{}/{}", namespace_, name, uid);
}

JobCache::JobCache(JobCacheSettings settings)
    : settings_(settings), known_(settings.known), missing_(settings.missing) {}

std::optional<Owner> JobCache::find(const JobQuestion& question, TimePoint now) {
    if (question.uid.empty()) {
        return std::nullopt;
    }
    Owner owner;
    // A pod may name the uid of another Job, of another namespace even: then it is not that one.
    if (const auto* known = known_.find(question.uid); known != nullptr &&
                                                       known->namespace_ == question.namespace_ &&
                                                       known->name == question.name) {
        owner.state = Owner::State::Known;
        owner.uid = question.uid;
        owner.cronjob = known->cronjob;
        return owner;
    }
    const auto key = question.text();
    const auto* until = missing_.find(key);
    if (until == nullptr) {
        return std::nullopt;
    }
    if (*until <= now) {
        missing_.erase(key);
        return std::nullopt;
    }
    owner.state = Owner::State::Gone;
    return owner;
}

void JobCache::keep(const JobQuestion& question, const Owner& answer, TimePoint now) {
    const bool known = answer.state == Owner::State::Known;
    if (known && may_be_kept(answer.uid)) {
        Known job;
        job.namespace_ = question.namespace_;
        job.name = question.name;
        job.cronjob = answer.cronjob;
        known_.put(answer.uid, std::move(job));
    }
    const bool another = known && !answer.uid.empty() && answer.uid != question.uid;
    if ((another || answer.state == Owner::State::Gone) && may_be_kept(question.uid)) {
        missing_.put(question.text(), now + settings_.missing_for);
    }
}

}  // namespace smw::checkpoint_restore
