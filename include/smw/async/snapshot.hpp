#pragma once
// A small, rarely changed value that is swapped whole: TLS context, configuration.
// std::atomic<shared_ptr> is neither lock-free nor TSan-clean in libstdc++ 12.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace smw::async {

/// Thread-safe. The lock is held for as long as copying a shared_ptr takes.
template <class T>
class Snapshot {
public:
    void publish(std::shared_ptr<const T> value) {
        const std::scoped_lock lock{mutex_};
        value_ = std::move(value);
        version_.fetch_add(1, std::memory_order_release);
    }

    /// Null before the first publish().
    [[nodiscard]] std::shared_ptr<const T> load() const {
        const std::scoped_lock lock{mutex_};
        return value_;
    }

    [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> value_;
    std::atomic<std::uint64_t> version_{0};
};

}  // namespace smw::async
