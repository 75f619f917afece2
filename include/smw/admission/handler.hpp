#pragma once
// What decides about reviews on one path. Implemented by each system.

#include "smw/admission/review.hpp"
#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"

#include <span>
#include <string_view>

namespace smw::admission {

/// Called on many shards at once. A denial is a Response; an Error is a failure of ours and becomes
/// a non-2xx answer, so that failurePolicy decides.
class Handler {
public:
    Handler() = default;
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;
    virtual ~Handler() = default;

    /// The system's name, and the `webhook` label of its metrics.
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// The closed set of reasons, fixed for the life of the handler.
    [[nodiscard]] virtual std::span<const std::string_view> reasons() const = 0;

    /// May wait until `deadline`. What `request` views stays alive until the task ends; `request`
    /// itself is awaited on the spot.
    virtual Task<Expected<Response>> handle(const Request& request, Deadline deadline) = 0;
};

}  // namespace smw::admission
