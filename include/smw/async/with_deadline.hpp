#pragma once
// One bound over a whole piece of waiting work: once a request or outbound call, never once a read
// of many.

#include "smw/async/task.hpp"
#include "smw/base/deadline.hpp"

#include <optional>
#include <utility>

namespace smw::async {

/// Whether `work` ended by `deadline`. At the deadline it is cancelled and waited for, so work that
/// ignores cancellation makes this late. Work whose deadline has passed is not begun. Rethrows what
/// `work` threw, but for its cancellation at the deadline; throws operation_aborted when the caller
/// is cancelled.
Task<bool> ended_by(Task<void> work, Deadline deadline);

namespace detail {
template <class T>
Task<void> keep(Task<T> work, std::optional<T>& result) {
    result.emplace(co_await std::move(work));
}
}  // namespace detail

/// What `work` gives; nothing when it had not ended by `deadline`.
template <class T>
Task<std::optional<T>> with_deadline(Task<T> work, Deadline deadline) {
    std::optional<T> result;
    auto kept = detail::keep(std::move(work), result);
    const bool ended = co_await ended_by(std::move(kept), deadline);
    if (!ended) {
        result.reset();
    }
    co_return std::move(result);
}

}  // namespace smw::async
