#pragma once
// What an API server's answers to lists and watches say. Pure: every byte of them is untrusted.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/kube/meta.hpp"
#include "smw/watch/list_page.hpp"

#include <string>
#include <string_view>

namespace smw::watch {

enum class EventType { Added, Modified, Deleted, Bookmark, Error };

/// metav1.WatchEvent, as views into its document.
struct WatchEvent {
    EventType type = EventType::Error;
    json::Value object;
    kube::ObjectKey key;       ///< of what was added, modified or deleted
    std::string_view version;  ///< empty: the event has none that could be watched from
    /// A bookmark that says that all initial events have been sent (KEP-3157).
    bool ends_initial_events = false;
};
/// `namespace_` is the one that is watched, empty for all: events of others are errors.
[[nodiscard]] Expected<WatchEvent> read_watch_event(json::Value line, std::string_view namespace_);

/// What a refusal means to whoever lists and watches.
enum class Refusal {
    Gone,             ///< the resourceVersion or the page token is too old
    VersionTooLarge,  ///< the API server has not come to that resourceVersion yet
    Absent,           ///< the resource is not served
    BadParameters,    ///< the request will be refused again
    Other,            ///< worth another try
};
[[nodiscard]] Refusal classify(const kube::Status& status);
/// Refusal::Other for a reason of the server's own, not that we ask too often or may not.
[[nodiscard]] bool is_server_error(const kube::Status& status);

/// The Status of an ERROR event as one clause on one line.
[[nodiscard]] std::string describe(const kube::Status& status);

}  // namespace smw::watch
