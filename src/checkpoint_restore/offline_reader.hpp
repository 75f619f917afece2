#pragma once
// What `review` reads from an API server: as much as the judgements need, each piece once. One
// thread; waits.

#include "checkpoint_restore/handler.hpp"
#include "smw/checkpoint_restore/offline.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace smw::checkpoint_restore {

class OfflineReader {
public:
    explicit OfflineReader(AskApi api) : api_(std::move(api)) {}

    /// Puts the CheckpointBackups of a namespace into `backups`, but for those in `given`. Where
    /// the resource is not installed there are none. What failed once fails again without asking.
    Expected<void> read_backups(std::string_view namespace_, const std::set<kube::ObjectKey>& given,
                                BackupStore& backups);
    /// Known or Gone.
    Expected<Owner> read_owner_of(const Pod& pod);

private:
    /// All pages.
    Expected<void> list(const std::string& namespace_, const std::set<kube::ObjectKey>& given,
                        BackupStore& backups);

    AskApi api_;
    std::map<std::string, Expected<void>, std::less<>> read_;  ///< by namespace
};

}  // namespace smw::checkpoint_restore
