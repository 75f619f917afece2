#include "checkpoint_restore/resources.hpp"

namespace smw::checkpoint_restore {

watch::Resource checkpoint_backups() {
    return {"migration.dcnlab.com", "v1", "CheckpointBackup", "checkpointbackups"};
}

watch::Resource batch_jobs() {
    return {"batch", "v1", "Job", "jobs"};
}

BackupStore::Project project_backups(log::Logger logger) {
    return [logger = std::move(logger)](const kube::ObjectKey& key, json::Value object) {
        auto reading = read_checkpoint_backup(key, object);
        for (const std::string_view skipped : reading.skipped) {
            logger.info("Passing over part of a CheckpointBackup",
                        {{"backup", std::string_view{key.name}},
                         {"namespace", std::string_view{key.namespace_}},
                         {"why", skipped}});
        }
        return std::move(reading.backup);
    };
}

}  // namespace smw::checkpoint_restore
