#pragma once
// One object of the cluster, as a watch of its name tells it.

#include "smw/async/latch.hpp"
#include "smw/watch/cache.hpp"
#include "smw/watch/sink.hpp"
#include "smw/watch/store.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace smw::cert_rotation {

/// Which object.
struct Followable {
    kube::Resource resource;
    kube::ObjectKey key;  ///< without namespace: of the cluster
};

/// The background loop's thread.
template <class T>
class Followed final : public watch::Sink {
public:
    using Read = std::function<T(json::Value)>;

    /// `changed` is called after each news.
    Followed(Followable object, Read read, std::function<void()> changed)
        : object_(std::move(object)), read_(std::move(read)), changed_(std::move(changed)) {}

    /// Nothing: the cluster does not have it, or it is not known yet.
    [[nodiscard]] const std::optional<T>& value() const { return value_; }
    [[nodiscard]] bool is_known() const { return synced_.is_set(); }
    [[nodiscard]] const Followable& object() const { return object_; }

    [[nodiscard]] watch::Cache cache() {
        watch::Cache cache;
        cache.resource = object_.resource;
        cache.sink = this;
        cache.synced = &synced_;
        cache.objects = [this] {
            return std::size_t{there_.load() ? 1U : 0U};
        };
        if (!object_.key.namespace_.empty()) {
            cache.namespaces = {object_.key.namespace_};
        }
        cache.name = object_.key.name;
        return cache;
    }

    void begin_relist(std::string_view) override { seen_ = false; }

    void end_relist(std::string_view) override {
        if (!seen_) {
            set(std::nullopt);
        }
        changed_();  // known from now on, also when there is none
    }

    Expected<void> apply(json::Value object) override {
        const auto key = watch::read_object_key(object);
        if (!key) {
            return tl::unexpected(key.error());
        }
        if (*key == object_.key) {
            seen_ = true;
            set(read_(object));
        }
        return {};
    }

    void remove(const kube::ObjectKey& key) override {
        if (key == object_.key) {
            set(std::nullopt);
        }
    }

private:
    void set(std::optional<T> value) {
        if (value_ != value) {
            value_ = std::move(value);
            there_.store(value_.has_value());
            changed_();
        }
    }

    Followable object_;
    Read read_;
    std::function<void()> changed_;
    async::Latch synced_;
    std::optional<T> value_;
    std::atomic<bool> there_{false};
    bool seen_ = false;  ///< in the relist that is under way
};

}  // namespace smw::cert_rotation
