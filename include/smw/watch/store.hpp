#pragma once
// The objects of one kind, projected to what is needed, under a lock that is held for one lookup or
// one change at a time.

#include "smw/watch/sink.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

namespace smw::watch {

struct ObjectKeyHash {
    std::size_t operator()(const kube::ObjectKey& key) const noexcept {
        const std::hash<std::string_view> hash;
        return hash(key.namespace_) * 31 + hash(key.name);
    }
};

/// Index: insert(const std::shared_ptr<const T>&) and erase(const std::shared_ptr<const T>&); a pure
/// data structure without a lock. Project: makes a T of an object. One writer, many readers.
template <class T, class Index>
class Store final : public Sink {
public:
    /// Makes a T of an object whose key is known; nothing when the object is of no use here, which
    /// removes what was known under that key.
    using Project = std::function<std::shared_ptr<const T>(const kube::ObjectKey&, json::Value)>;

    explicit Store(Project project) : project_(std::move(project)) {}

    void begin_relist() override { ++stamp_; }
    void end_relist() override;
    Expected<void> apply(json::Value object) override;
    void remove(const kube::ObjectKey& key) override;

    /// `reader(const Index&)` under the shared lock: keep it to one lookup, keep shared_ptrs.
    template <class Reader>
    auto read(Reader&& reader) const {
        const std::shared_lock lock{mutex_};
        return std::forward<Reader>(reader)(index_);
    }

    [[nodiscard]] std::size_t size() const {
        const std::shared_lock lock{mutex_};
        return objects_.size();
    }

private:
    struct Entry {
        std::shared_ptr<const T> object;
        std::uint64_t stamp = 0;
    };

    Project project_;
    mutable std::shared_mutex mutex_;
    Index index_;
    std::unordered_map<kube::ObjectKey, Entry, ObjectKeyHash> objects_;
    std::uint64_t stamp_ = 0;  ///< number of the relist; the writer's
};

/// metadata.namespace and metadata.name of an object.
[[nodiscard]] Expected<kube::ObjectKey> read_object_key(json::Value object);

template <class T, class Index>
Expected<void> Store<T, Index>::apply(json::Value object) {
    auto key = read_object_key(object);
    if (!key) {
        return tl::unexpected(key.error());
    }
    auto projected = project_(*key, object);
    if (!projected) {
        remove(*key);
        return {};
    }
    const std::unique_lock lock{mutex_};
    Entry& entry = objects_[std::move(*key)];
    if (entry.object) {
        index_.erase(entry.object);
    }
    entry.object = std::move(projected);
    entry.stamp = stamp_;
    index_.insert(entry.object);
    return {};
}

template <class T, class Index>
void Store<T, Index>::remove(const kube::ObjectKey& key) {
    const std::unique_lock lock{mutex_};
    const auto found = objects_.find(key);
    if (found == objects_.end()) {
        return;
    }
    index_.erase(found->second.object);
    objects_.erase(found);
}

template <class T, class Index>
void Store<T, Index>::end_relist() {
    std::vector<kube::ObjectKey> gone;
    {
        const std::shared_lock lock{mutex_};
        for (const auto& [key, entry] : objects_) {
            if (entry.stamp != stamp_) {
                gone.push_back(key);
            }
        }
    }
    for (const auto& key : gone) {
        remove(key);
    }
}

}  // namespace smw::watch
