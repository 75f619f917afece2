#pragma once
// The objects of one kind, projected to what is needed, under a lock that is held for one lookup or
// one change at a time.

#include "smw/watch/sink.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace smw::watch {

/// kube::ObjectKey as views.
struct ObjectKeyView {
    std::string_view namespace_;
    std::string_view name;
    friend bool operator==(const ObjectKeyView&, const ObjectKeyView&) = default;
};

/// Not noexcept: libstdc++ then keeps the hash in the node, and growing does not read the objects.
struct ObjectKeyHash {
    std::size_t operator()(const ObjectKeyView& key) const {
        const std::hash<std::string_view> hash;
        return hash(key.namespace_) * 31 + hash(key.name);
    }
};

/// Immutable once made, so that its key can be viewed while it lives.
template <class T>
concept Keyed = requires(const T& object) {
    { object.key() } -> std::convertible_to<ObjectKeyView>;
};

/// Index: insert(const std::shared_ptr<const T>&) and erase(const std::shared_ptr<const T>&); a
/// pure data structure without a lock. Objects are held once: the store's keys are views into them.
/// A relist of what holds nothing shows at its end, at once: what is half-read decides nothing. One
/// writer, many readers.
template <Keyed T, class Index>
class Store final : public Sink {
public:
    /// Makes a T of that key; nothing when the object is of no use here, which removes what was
    /// known under that key.
    using Project =
        std::function<std::shared_ptr<const T>(const kube::ObjectKey& key, json::Value object)>;

    explicit Store(Project project) : project_(std::move(project)) {}

    void begin_relist(std::string_view namespace_) override;
    void end_relist(std::string_view namespace_) override;
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
    using Objects = std::unordered_map<ObjectKeyView, Entry, ObjectKeyHash>;

    void insert(std::shared_ptr<const T> object);
    void replace(typename Objects::iterator at, std::shared_ptr<const T> object);
    void erase(typename Objects::iterator at);
    /// The number of the relist that this namespace is in, or was in last.
    [[nodiscard]] std::uint64_t stamp_of(std::string_view namespace_) const;
    /// Whether objects of this namespace are in the index, not only in objects_.
    [[nodiscard]] bool is_shown(std::string_view namespace_) const {
        return !filling_.contains(namespace_) && !filling_.contains(std::string_view{});
    }
    /// Whether a relist of `relisted` (empty: of all) is one of this namespace, too.
    static bool covers(std::string_view relisted, std::string_view namespace_) {
        return relisted.empty() || relisted == namespace_;
    }
    /// Puts what a first relist has brought into the index.
    void show(std::string_view relisted);

    Project project_;
    mutable std::shared_mutex mutex_;  ///< the writer reads without it: nobody else writes
    Index index_;
    Objects objects_;
    // The writer's.
    std::uint64_t last_stamp_ = 0;
    std::map<std::string, std::uint64_t, std::less<>> stamps_;  ///< by namespace; "": all
    std::set<std::string, std::less<>> filling_;  ///< namespaces that held nothing at the begin
};

/// metadata.namespace and metadata.name of an object. No name, or one that is no string, is
/// BadRequest.
[[nodiscard]] Expected<kube::ObjectKey> read_object_key(json::Value object);

template <Keyed T, class Index>
Expected<void> Store<T, Index>::apply(json::Value object) {
    const auto key = read_object_key(object);
    if (!key) {
        return tl::unexpected(key.error());
    }
    auto projected = project_(*key, object);
    const auto known = objects_.find(ObjectKeyView{key->namespace_, key->name});
    if (!projected) {
        erase(known);
    } else if (known == objects_.end()) {
        insert(std::move(projected));
    } else {
        replace(known, std::move(projected));
    }
    return {};
}

template <Keyed T, class Index>
void Store<T, Index>::insert(std::shared_ptr<const T> object) {
    const ObjectKeyView key = object->key();
    const std::unique_lock lock{mutex_};
    if (is_shown(key.namespace_)) {
        index_.insert(object);
    }
    objects_.emplace(key, Entry{std::move(object), stamp_of(key.namespace_)});
}

template <Keyed T, class Index>
void Store<T, Index>::replace(typename Objects::iterator at, std::shared_ptr<const T> object) {
    // Freed after the lock: its key is still viewed until the node has the new one.
    std::shared_ptr<const T> old = at->second.object;
    const std::unique_lock lock{mutex_};
    if (is_shown(old->key().namespace_)) {
        index_.erase(old);
        index_.insert(object);
    }
    auto node = objects_.extract(at);
    node.key() = object->key();
    node.mapped() = Entry{std::move(object), stamp_of(node.key().namespace_)};
    objects_.insert(std::move(node));
}

template <Keyed T, class Index>
void Store<T, Index>::erase(typename Objects::iterator at) {
    if (at == objects_.end()) {
        return;
    }
    const std::shared_ptr<const T> old = at->second.object;
    const std::unique_lock lock{mutex_};
    if (is_shown(old->key().namespace_)) {
        index_.erase(old);
    }
    objects_.erase(at);
}

template <Keyed T, class Index>
void Store<T, Index>::remove(const kube::ObjectKey& key) {
    erase(objects_.find(ObjectKeyView{key.namespace_, key.name}));
}

template <Keyed T, class Index>
std::uint64_t Store<T, Index>::stamp_of(std::string_view namespace_) const {
    auto found = stamps_.find(namespace_);
    if (found == stamps_.end()) {
        found = stamps_.find(std::string_view{});
    }
    return found == stamps_.end() ? 0 : found->second;
}

template <Keyed T, class Index>
void Store<T, Index>::begin_relist(std::string_view namespace_) {
    stamps_.insert_or_assign(std::string{namespace_}, ++last_stamp_);
    const bool holds = std::ranges::any_of(
        objects_, [&](const auto& object) { return covers(namespace_, object.first.namespace_); });
    if (!holds) {
        filling_.emplace(namespace_);
    }
}

template <Keyed T, class Index>
void Store<T, Index>::end_relist(std::string_view namespace_) {
    const auto stamp = stamp_of(namespace_);
    for (auto at = objects_.begin(); at != objects_.end();) {
        const auto here = at++;  // erasing a node leaves the others where they are
        if (covers(namespace_, here->first.namespace_) && here->second.stamp != stamp) {
            erase(here);
        }
    }
    if (filling_.contains(namespace_)) {
        show(namespace_);
    }
}

template <Keyed T, class Index>
void Store<T, Index>::show(std::string_view relisted) {
    const std::unique_lock lock{mutex_};
    filling_.erase(filling_.find(relisted));
    for (const auto& [key, entry] : objects_) {
        if (covers(relisted, key.namespace_)) {
            index_.insert(entry.object);
        }
    }
}

}  // namespace smw::watch
