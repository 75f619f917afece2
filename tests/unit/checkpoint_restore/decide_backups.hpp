#pragma once
// Backups and images that differ in what a decision is about, and in nothing else.

#include "world.hpp"

#include <string>

namespace smw::checkpoint_restore::testing {

inline const Images kPodImages{{"app", "nginx:1.19"}};
inline const Images kCheckpoint{{"app", "nginx:checkpoint"}};
inline const Images kOtherContainer{{"other", "nginx:checkpoint"}};

inline Json job_backup(const std::string& name, const std::string& job = "train",
                       const Images& images = kCheckpoint) {
    return backup_of("Job", job, name, images);
}

inline Json cronjob_backup(const std::string& name, const std::string& cronjob,
                           const Images& images = kCheckpoint) {
    return backup_of("CronJob", cronjob, name, images);
}

}  // namespace smw::checkpoint_restore::testing
