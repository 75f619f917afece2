#pragma once
// All connections of a listener, over all shards: how many, and which has been idle for longest.

#include "http/connection.hpp"

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace smw::http {

/// Thread-safe. The lock is taken when a connection comes or goes, never on the way of a request.
class ConnectionTable {
public:
    using Place = std::list<std::shared_ptr<Connection>>::iterator;

    Place add(const std::shared_ptr<Connection>& connection) {
        const std::scoped_lock lock{mutex_};
        return connections_.insert(connections_.end(), connection);
    }

    void remove(Place place) {
        const std::scoped_lock lock{mutex_};
        connections_.erase(place);
        if (connections_.empty()) {
            emptied_.notify_all();
        }
    }

    [[nodiscard]] std::size_t size() const {
        const std::scoped_lock lock{mutex_};
        return connections_.size();
    }

    /// Null when none is idle.
    [[nodiscard]] std::shared_ptr<Connection> longest_idle() const;

    /// A copy, to be walked without the lock.
    [[nodiscard]] std::list<std::shared_ptr<Connection>> all() const {
        const std::scoped_lock lock{mutex_};
        return connections_;
    }

    /// Blocks the calling thread. Whether there was none left by `deadline`.
    bool wait_until_empty(Deadline deadline) const {
        std::unique_lock lock{mutex_};
        return emptied_.wait_until(lock, deadline.when(), [&] { return connections_.empty(); });
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable emptied_;
    std::list<std::shared_ptr<Connection>> connections_;
};

}  // namespace smw::http
