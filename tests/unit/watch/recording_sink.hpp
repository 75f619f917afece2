#pragma once
// A Sink that keeps objects as text, by mark and sweep.

#include "smw/watch/sink.hpp"
#include "smw/watch/store.hpp"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace smw::watch::testing {

class RecordingSink final : public Sink {
public:
    void begin_relist(std::string_view) override {
        const std::scoped_lock lock{mutex_};
        seen_.clear();
    }
    void end_relist(std::string_view) override {
        const std::scoped_lock lock{mutex_};
        objects_ = seen_;
        ++relists;
    }
    Expected<void> apply(json::Value object) override {
        const auto key = read_object_key(object);
        if (!key) {
            return tl::unexpected(key.error());
        }
        if (!refused.empty() && key->name == refused) {
            return fail(Code::BadRequest, "refused " + refused);
        }
        const auto colour = object.find("colour");
        const std::scoped_lock lock{mutex_};
        seen_[key->namespace_ + "/" + key->name] = colour ? colour->string().value_or("?") : "";
        return {};
    }
    void remove(const kube::ObjectKey&) override { ++removed_one_by_one; }

    /// "namespace/name=colour" of every object, sorted.
    [[nodiscard]] std::vector<std::string> content() const {
        const std::scoped_lock lock{mutex_};
        std::vector<std::string> lines;
        for (const auto& [key, colour] : objects_) {
            lines.push_back(key + "=" + colour);
        }
        return lines;
    }

    int relists = 0;
    int removed_one_by_one = 0;
    std::string refused;  ///< a name that is refused

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> seen_;
    std::map<std::string, std::string> objects_;
};

}  // namespace smw::watch::testing
