#pragma once
// What is known of a pod's Job beyond its name: whether it exists, and which CronJob owns it.

#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"
#include "smw/json/document.hpp"
#include "smw/kube/meta.hpp"
#include "smw/watch/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace smw::checkpoint_restore {

/// A Job, projected to what decisions read. Immutable, shared between threads.
struct Job {
    std::string namespace_;
    std::string name;
    std::string uid;
    /// The ownerReference of kind CronJob, group batch: with controller: true, else the first.
    std::optional<std::string> cronjob;

    [[nodiscard]] watch::ObjectKeyView key() const { return {namespace_, name}; }
    friend bool operator==(const Job&, const Job&) = default;
};

[[nodiscard]] std::shared_ptr<const Job> read_job(const kube::ObjectKey& key, json::Value object);

/// Jobs by name; a pure data structure, watch::Store holds the lock.
class JobIndex {
public:
    using Pointer = std::shared_ptr<const Job>;

    void insert(const Pointer& job) { jobs_.insert(job); }
    void erase(const Pointer& job) { jobs_.erase(job); }
    /// Null when there is none.
    [[nodiscard]] Pointer find(const watch::ObjectKeyView& key) const {
        const auto found = jobs_.find(key);
        return found == jobs_.end() ? nullptr : *found;
    }

private:
    static watch::ObjectKeyView key_of(const Pointer& job) { return job->key(); }
    static watch::ObjectKeyView key_of(const watch::ObjectKeyView& key) { return key; }
    struct Hash {
        using is_transparent = void;
        template <class Key>
        std::size_t operator()(const Key& key) const {
            return watch::ObjectKeyHash{}(key_of(key));
        }
    };
    struct Equal {
        using is_transparent = void;
        template <class Left, class Right>
        bool operator()(const Left& left, const Right& right) const {
            return key_of(left) == key_of(right);
        }
    };
    std::unordered_set<Pointer, Hash, Equal> jobs_;
};

using JobStore = watch::Store<Job, JobIndex>;

/// The answer to "which CronJob owns this Job?".
struct Owner {
    enum class State {
        NotAsked,
        Known,       ///< the Job was read
        Gone,        ///< there is no such Job
        Unanswered,  ///< no answer in time
        Refused,     ///< no right to read Jobs, or another error
    };
    State state = State::NotAsked;
    std::string uid;                     ///< of the Job that was read; empty: not compared
    std::optional<std::string> cronjob;  ///< its CronJob, when it has one
    friend bool operator==(const Owner&, const Owner&) = default;
};

/// What Jobs read from files say. One that is not there counts as known and without owner: nobody
/// writes the Jobs of a CronJob down.
[[nodiscard]] Owner owner_from(const JobStore& jobs, const watch::ObjectKeyView& key);

/// Called on many shards at once.
class JobLookup {
public:
    JobLookup() = default;
    JobLookup(const JobLookup&) = delete;
    JobLookup& operator=(const JobLookup&) = delete;
    virtual ~JobLookup() = default;

    /// Never NotAsked. `uid` is what the pod says of its Job; it may be empty.
    virtual Task<Owner> owner_of(kube::ObjectKey job, std::string uid, Deadline deadline) = 0;
};

}  // namespace smw::checkpoint_restore
