#pragma once
// What is known already of Jobs that were asked for, and for how long. Pure; ApiJobs holds the lock
// and the flights.

#include "checkpoint_restore/job.hpp"
#include "smw/base/clock.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace smw::checkpoint_restore {

/// What a pod says of its Job.
struct JobQuestion {
    std::string namespace_;
    std::string name;
    std::string uid;  ///< empty: the pod's ownerReference has none

    /// Whether an object can have that name: a label for the namespace, a subdomain for the Job
    /// (RFC 1123). What a pod's ownerReference claims has not been validated yet when we see it.
    [[nodiscard]] bool can_exist() const;
    /// The same for the same question, and for no other.
    [[nodiscard]] std::string text() const;
    friend bool operator==(const JobQuestion&, const JobQuestion&) = default;
};

/// The `most` values that were used last.
template <class Value>
class LastUsed {
public:
    explicit LastUsed(std::size_t most) : most_(most) {}

    /// Null when there is none. Counts as a use.
    [[nodiscard]] Value* find(std::string_view key) {
        const auto found = places_.find(key);
        if (found == places_.end()) {
            return nullptr;
        }
        entries_.splice(entries_.begin(), entries_, found->second);
        return &found->second->second;
    }

    void put(std::string key, Value value) {
        erase(key);
        entries_.emplace_front(std::move(key), std::move(value));
        places_.emplace(entries_.front().first, entries_.begin());
        if (entries_.size() > most_) {
            places_.erase(entries_.back().first);
            entries_.pop_back();
        }
    }

    void erase(std::string_view key) {
        const auto found = places_.find(key);
        if (found != places_.end()) {
            const auto place = found->second;
            places_.erase(found);
            entries_.erase(place);
        }
    }

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    using Entries = std::list<std::pair<std::string, Value>>;
    std::size_t most_;
    Entries entries_;
    std::unordered_map<std::string_view, typename Entries::iterator> places_;  ///< by entry's key
};

struct JobCacheSettings {
    /// A Job's owner does not change; some 400 bytes each.
    std::size_t known = 10'000;
    /// A pod that is created again and again for a Job that is gone asks once a second.
    std::size_t missing = 1'000;
    Duration missing_for = std::chrono::seconds{1};
};

/// One thread at a time.
class JobCache {
public:
    explicit JobCache(JobCacheSettings settings = {});

    /// Known or Gone; nothing when the API server has to be asked.
    [[nodiscard]] std::optional<Owner> find(const JobQuestion& question, TimePoint now);
    /// What the API server answered: Known or Gone; other states are not kept.
    void keep(const JobQuestion& question, const Owner& answer, TimePoint now);

private:
    struct Known {
        std::string namespace_;
        std::string name;
        std::optional<std::string> cronjob;
    };

    JobCacheSettings settings_;
    LastUsed<Known> known_;        ///< by uid
    LastUsed<TimePoint> missing_;  ///< by question: until when
};

}  // namespace smw::checkpoint_restore
