#include "watch/api_answers.hpp"

#include "smw/base/quote.hpp"
#include "smw/watch/store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::watch {
namespace {

/// Of what an API server says, so much is repeated.
constexpr std::size_t kMostMessageBytes = 256;

std::string_view text_of(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    return member ? member->string().value_or(std::string_view{}) : std::string_view{};
}

/// "0" means "any" and never names a state of its own.
std::string_view version_of(json::Value metadata) {
    const auto version = text_of(metadata, "resourceVersion");
    return version == "0" ? std::string_view{} : version;
}

std::optional<EventType> parse_type(std::string_view text) {
    if (text == "ADDED") {
        return EventType::Added;
    }
    if (text == "MODIFIED") {
        return EventType::Modified;
    }
    if (text == "DELETED") {
        return EventType::Deleted;
    }
    if (text == "BOOKMARK") {
        return EventType::Bookmark;
    }
    if (text == "ERROR") {
        return EventType::Error;
    }
    return std::nullopt;
}

bool names_an_object(EventType type) {
    switch (type) {
        case EventType::Added:
        case EventType::Modified:
        case EventType::Deleted:
            return true;
        case EventType::Bookmark:
        case EventType::Error:
            return false;
    }
    return false;
}

/// apimachinery pkg/api/errors: the cause, and what servers before 1.17 said instead.
bool is_version_too_large(const kube::Status& status) {
    return (status.code == 504 || status.reason == "Timeout") &&
           std::ranges::any_of(status.causes, [](const kube::Status::Cause& cause) {
               return cause.reason == "ResourceVersionTooLarge" ||
                      cause.message == "Too large resource version";
           });
}

}  // namespace

Expected<ListPage> read_list_page(json::Value list) {
    const auto items = list.find_raw("items");
    if (!items || !(items->is_array() || items->is_null())) {
        return fail(Code::BadRequest, "the list has no items");
    }
    const auto metadata = list.find("metadata");
    const auto version = metadata ? version_of(*metadata) : std::string_view{};
    if (version.empty()) {
        return fail(Code::BadRequest, "the list has no resourceVersion");
    }
    return ListPage{*items, version, text_of(*metadata, "continue")};
}

Expected<WatchEvent> read_watch_event(json::Value line, std::string_view namespace_) {
    const auto type = parse_type(text_of(line, "type"));
    if (!type) {
        return fail(Code::BadRequest, "an event of no known type");
    }
    const auto object = line.find("object");
    if (!object || !object->is_object()) {
        return fail(Code::BadRequest, "an event without an object");
    }
    WatchEvent event{*type, *object, {}, {}, false};
    if (names_an_object(*type)) {
        auto key = read_object_key(*object);
        if (!key) {
            return fail(Code::BadRequest, "an object whose " + key.error().message);
        }
        if (!namespace_.empty() && key->namespace_ != namespace_) {
            return fail(Code::BadRequest, "an object of another namespace");
        }
        event.key = std::move(*key);
    }
    if (const auto metadata = object->find("metadata")) {
        event.version = version_of(*metadata);
        const auto annotations = metadata->find("annotations");
        event.ends_initial_events = *type == EventType::Bookmark && annotations &&
                                    text_of(*annotations, "k8s.io/initial-events-end") == "true";
    }
    return event;
}

Refusal classify(const kube::Status& status) {
    if (status.code == 410 || status.reason == "Expired" || status.reason == "Gone") {
        return Refusal::Gone;
    }
    if (is_version_too_large(status)) {
        return Refusal::VersionTooLarge;
    }
    if (status.code == 404) {
        return Refusal::Absent;
    }
    if (status.code == 400 || status.code == 422) {
        return Refusal::BadParameters;
    }
    return Refusal::Other;
}

bool is_server_error(const kube::Status& status) {
    return classify(status) == Refusal::Other && (status.code < 400 || status.code >= 500);
}

std::string describe(const kube::Status& status) {
    std::string message;
    append_quoted(message, std::string_view{status.message}.substr(0, kMostMessageBytes));
    std::string reason;
    append_quoted(reason, std::string_view{status.reason}.substr(0, kMostMessageBytes));
    return fmt::format("the watch was ended with code {}, reason {}: {}", status.code, reason,
                       message);
}

}  // namespace smw::watch
