#pragma once
// Which CheckpointBackups refer to a Job or CronJob. A lookup hashes one name, however many backups
// there are. A pure data structure; watch::Store holds the lock.

#include "checkpoint_restore/checkpoint_backup.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace smw::checkpoint_restore {

/// What a backup refers to.
struct ResourceKey {
    std::string_view namespace_;
    ResourceKind kind = ResourceKind::Job;
    std::string_view name;
    friend bool operator==(const ResourceKey&, const ResourceKey&) = default;
};

class BackupIndex {
public:
    using Pointer = std::shared_ptr<const CheckpointBackup>;

    void insert(const Pointer& backup);
    void erase(const Pointer& backup);

    /// A range of Pointer. (Not std::ranges::subrange: clang 14 does not take libstdc++'s.)
    template <class Iterator>
    struct Range {
        Iterator first;
        Iterator last;
        [[nodiscard]] Iterator begin() const { return first; }
        [[nodiscard]] Iterator end() const { return last; }
    };

    /// All backups that refer to `key`, in no order.
    [[nodiscard]] auto referring_to(const ResourceKey& key) const {
        const auto [first, last] = backups_.equal_range(key);
        return Range<std::remove_const_t<decltype(first)>>{first, last};
    }

    [[nodiscard]] bool has_cronjob_candidate(std::string_view namespace_) const {
        return cronjob_candidates_.contains(namespace_);
    }

    /// The longest name, shorter than `limit`, of a CronJob that a backup refers to, such that
    /// `job` is `<name>-<rest>` with a rest. Empty: none. A prefix of `job`.
    [[nodiscard]] std::string_view cronjob_prefix(std::string_view namespace_, std::string_view job,
                                                  std::size_t limit = std::string_view::npos) const;

private:
    static ResourceKey key_of(const Pointer& backup) {
        return {backup->namespace_(), backup->resource_kind(), backup->resource_name()};
    }
    static ResourceKey key_of(const ResourceKey& key) { return key; }

    /// Not noexcept: libstdc++ then keeps the hash in the node, and growing does not read the
    /// backups again.
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const ResourceKey& key) const;
        std::size_t operator()(const Pointer& backup) const { return (*this)(key_of(backup)); }
    };
    struct Equal {
        using is_transparent = void;
        template <class Left, class Right>
        bool operator()(const Left& left, const Right& right) const {
            return key_of(left) == key_of(right);
        }
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };

    std::unordered_multiset<Pointer, Hash, Equal> backups_;
    /// namespace → how many backups there refer to a CronJob; never zero.
    std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> cronjob_candidates_;
};

}  // namespace smw::checkpoint_restore
