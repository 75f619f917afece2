#include "checkpoint_restore/backup_index.hpp"

#include <algorithm>

namespace smw::checkpoint_restore {
namespace {

/// An object's name has at most 253 bytes (RFC 1123 subdomain), a pod's ownerReference may claim
/// any number: without a bound a name of a megabyte of dashes would be hashed half a million times.
constexpr std::size_t kMaxNameBytes = 253;

}  // namespace

std::size_t BackupIndex::Hash::operator()(const ResourceKey& key) const {
    const std::hash<std::string_view> hash;
    return (hash(key.namespace_) * 31 + hash(key.name)) * 2 +
           (key.kind == ResourceKind::CronJob ? 1 : 0);
}

void BackupIndex::insert(const Pointer& backup) {
    backups_.insert(backup);
    if (backup->resource_kind() == ResourceKind::CronJob) {
        ++cronjob_candidates_[std::string{backup->namespace_()}];
    }
}

void BackupIndex::erase(const Pointer& backup) {
    const auto same_resource = backups_.equal_range(key_of(backup));
    const auto found = std::find(same_resource.first, same_resource.second, backup);
    if (found == same_resource.second) {
        return;
    }
    if (backup->resource_kind() == ResourceKind::CronJob) {
        const auto count = cronjob_candidates_.find(backup->namespace_());
        if (--count->second == 0) {
            cronjob_candidates_.erase(count);
        }
    }
    backups_.erase(found);
}

std::string_view BackupIndex::cronjob_prefix(std::string_view namespace_, std::string_view job,
                                             std::size_t limit) const {
    if (job.empty() || limit == 0 || !has_cronjob_candidate(namespace_)) {
        return {};
    }
    // The rest is not empty: the last place for the dash is before the last character.
    std::size_t from = std::min({limit - 1, kMaxNameBytes, job.size() - 1});
    if (from == job.size() - 1) {
        if (from == 0) {
            return {};
        }
        --from;
    }
    for (auto dash = job.rfind('-', from); dash != std::string_view::npos && dash != 0;
         dash = job.rfind('-', dash - 1)) {
        const auto name = job.substr(0, dash);
        if (backups_.contains(ResourceKey{namespace_, ResourceKind::CronJob, name})) {
            return name;
        }
    }
    return {};
}

}  // namespace smw::checkpoint_restore
