#pragma once
// The embedded default: caches filled from a folder of YAML and JSON files instead of an API
// server, changes followed.

#include "smw/async/snapshot.hpp"
#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/watch/cache.hpp"
#include "smw/watch/manifest_set.hpp"

#include <filesystem>
#include <memory>
#include <vector>

namespace smw::watch {

class ChangeTracker;
struct CacheMeters;

/// run() and what it calls stay on one thread; it reads files there, so not on a shard that serves
/// requests. The destructor only after run() has ended.
class Manifests {
public:
    /// All of it outlives the Manifests.
    struct Parts {
        std::filesystem::path folder;
        std::vector<Cache> caches;
        const Clock& clock;
        log::Logger logger;
        metrics::Registry& metrics;
    };
    explicit Manifests(Parts parts);
    ~Manifests();
    Manifests(const Manifests&) = delete;
    Manifests& operator=(const Manifests&) = delete;

    /// Loads the folder, sets the latches of the caches, follows changes; until cancelled, then it
    /// throws operation_aborted. A folder that cannot be read is reported and looked at again: the
    /// caches keep what they have.
    Task<void> run();

    /// What is wrong with the files now, sorted; for `/readyz?verbose`. Any thread. Never null.
    [[nodiscard]] std::shared_ptr<const std::vector<Problem>> problems() const {
        return problems_.load();
    }

private:
    /// One look at the folder; whether a file is being written to and has to be looked at again
    /// soon.
    bool look();
    /// Applies what changed, and sets the latches the first time.
    void apply();
    void publish(std::vector<Problem> problems);

    Parts parts_;
    ManifestSet set_;
    std::unique_ptr<ChangeTracker> tracker_;
    std::vector<CacheMeters> meters_;  ///< one for each cache
    bool loaded_ = false;
    std::vector<Problem> of_files_;  ///< as of the last change: finding them walks all objects
    async::Snapshot<std::vector<Problem>> problems_;
};

}  // namespace smw::watch
