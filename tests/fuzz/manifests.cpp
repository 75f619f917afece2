// Files of a folder of manifests, between zero bytes: what they bring in, they take away again.

#include "checkpoint_restore/resources.hpp"
#include "smw/watch/manifest_set.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {

void manifests(std::string_view bytes) {
    static const auto output = log::make_null_output();
    const auto backups_resource = checkpoint_restore::checkpoint_backups();
    const auto jobs_resource = checkpoint_restore::batch_jobs();
    checkpoint_restore::BackupStore backups{
        checkpoint_restore::project_backups(log::Logger{"fuzz", {}, *output})};
    checkpoint_restore::JobStore jobs{checkpoint_restore::read_job};
    watch::ManifestSet set{{backups_resource, jobs_resource}};
    const auto apply = [&] {
        set.apply(backups_resource, backups);
        set.apply(jobs_resource, jobs);
    };
    set.put("0.yaml", take_until(bytes, '\0'));
    set.put("1.json", take_until(bytes, '\0'));
    apply();
    set.put("0.yaml", bytes);
    apply();
    for (const auto& problem : set.problems()) {
        check(!problem.reason.empty() && problem.line >= 0, "a problem without a reason");
        check(is_one_line(watch::to_string(problem)), "a problem that is more than a line");
    }
    set.erase("0.yaml");
    set.erase("1.json");
    apply();
    check(backups.size() == 0 && jobs.size() == 0, "an object of a file that is gone");
    check(set.problems().empty(), "a problem of a file that is gone");
}

}  // namespace smw::fuzz
