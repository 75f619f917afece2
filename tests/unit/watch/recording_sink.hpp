#pragma once
// A Sink that keeps the colours of objects, by mark and sweep, and what it was told. Thread-safe.

#include "smw/watch/sink.hpp"
#include "smw/watch/store.hpp"

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::watch::testing {

class RecordingSink final : public Sink {
public:
    void begin_relist(std::string_view namespace_) override {
        const std::scoped_lock lock{mutex_};
        stamps_.insert_or_assign(std::string{namespace_}, ++last_stamp_);
        told_.push_back("begin " + std::string{namespace_});
    }
    void end_relist(std::string_view namespace_) override {
        const std::scoped_lock lock{mutex_};
        const auto stamp = stamp_of(namespace_);
        std::erase_if(objects_, [&](const auto& entry) {
            const bool meant = namespace_.empty() || entry.first.namespace_ == namespace_;
            return meant && entry.second.stamp != stamp;
        });
        ++relists;
        told_.push_back("end " + std::string{namespace_});
    }
    Expected<void> apply(json::Value object) override {
        const auto key = read_object_key(object);
        if (!key) {
            return tl::unexpected(key.error());
        }
        if (!refused.empty() && key->name == refused) {
            return fail(Code::BadRequest, "refused " + refused);
        }
        if (!explosive.empty() && key->name == explosive) {
            throw std::runtime_error{"boom"};
        }
        const auto colour = object.find("colour");
        Entry entry{colour ? std::string{colour->string().value_or("?")} : "", 0};
        const std::scoped_lock lock{mutex_};
        entry.stamp = stamp_of(key->namespace_);
        told_.push_back("put " + line(*key, entry));
        objects_.insert_or_assign(*key, std::move(entry));
        return {};
    }
    void remove(const kube::ObjectKey& key) override {
        const std::scoped_lock lock{mutex_};
        ++removed_one_by_one;
        told_.push_back("remove " + key.namespace_ + "/" + key.name);
        objects_.erase(key);
    }

    /// "namespace/name=colour" of every object, sorted.
    [[nodiscard]] std::vector<std::string> content() const {
        const std::scoped_lock lock{mutex_};
        std::vector<std::string> lines;
        for (const auto& [key, entry] : objects_) {
            lines.push_back(line(key, entry));
        }
        return lines;
    }
    [[nodiscard]] std::size_t size() const {
        const std::scoped_lock lock{mutex_};
        return objects_.size();
    }
    /// Every call since this was asked last, in order: "begin ns", "put ns/a=red".
    [[nodiscard]] std::vector<std::string> told() {
        const std::scoped_lock lock{mutex_};
        return std::exchange(told_, {});
    }

    int relists = 0;
    int removed_one_by_one = 0;
    std::string refused;    ///< a name that is refused
    std::string explosive;  ///< a name that throws

private:
    struct Entry {
        std::string colour;
        int stamp = 0;
    };
    static std::string line(const kube::ObjectKey& key, const Entry& entry) {
        return key.namespace_ + "/" + key.name + "=" + entry.colour;
    }

    /// Of the last relist that this namespace is in.
    [[nodiscard]] int stamp_of(std::string_view namespace_) const {
        const auto own = stamps_.find(namespace_);
        const auto found = own == stamps_.end() ? stamps_.find("") : own;
        return found == stamps_.end() ? 0 : found->second;
    }

    mutable std::mutex mutex_;
    int last_stamp_ = 0;
    std::map<std::string, int, std::less<>> stamps_;  ///< by namespace; "": all
    std::map<kube::ObjectKey, Entry> objects_;
    std::vector<std::string> told_;
};

}  // namespace smw::watch::testing
