// Durations, `?timeout=` and times.

#include "smw/kube/meta.hpp"
#include "smw/webhook/endpoint.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

void check_timeout(std::string_view query) {
    http::RequestHead head;
    head.query = query;
    head.received = TimePoint{std::chrono::hours{1}};
    const auto left = webhook::deadline_of(head).when() - head.received;
    check(left >= Duration::zero() && left <= std::chrono::seconds{30},
          "a deadline in the past, or that nobody waits for");
}

void check_duration(std::string_view text) {
    const auto duration = kube::parse_duration(text);
    if (!duration || text.starts_with('-') || text.starts_with('+')) {
        return;
    }
    check(*duration >= std::chrono::nanoseconds::zero(), "a negative duration without a sign");
    const std::string unsigned_text{text};
    check(kube::parse_duration("-" + unsigned_text) == -*duration, "a sign that does more");
    check(kube::parse_duration("+" + unsigned_text) == duration, "a plus that does something");
}

void check_time(std::string_view text) {
    const auto time = kube::parse_time(text);
    if (!time || !text.ends_with('Z')) {
        return;
    }
    text.remove_suffix(1);
    check(kube::parse_time(std::string{text} + "+00:00") == time, "two times of one moment");
    check(kube::parse_time(std::string{text} + "+01:00") <= time, "east is later");
}

}  // namespace

void times(std::string_view bytes) {
    check_timeout(bytes);
    check_timeout("timeout=" + std::string{bytes});
    check_duration(bytes);
    check_time(bytes);
}

}  // namespace smw::fuzz
