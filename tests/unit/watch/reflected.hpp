#pragma once
// A Reflector on a sink that records, with a clock turned by hand, and what an API server says.

#include "smw/watch/reflector.hpp"
#include "unit/watch/recording_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace smw::watch::testing {

using namespace std::chrono_literals;

/// {"metadata": …, "colour": …}; `version` empty: without.
inline std::string object(const std::string& name, const std::string& colour,
                          const std::string& version = "", const std::string& namespace_ = "ns") {
    return R"({"metadata":{"namespace":")" + namespace_ + R"(","name":")" + name + '"' +
           (version.empty() ? "" : R"(,"resourceVersion":")" + version + '"') + R"(},"colour":")" +
           colour + R"("})";
}
inline std::string event(const std::string& type, const std::string& content) {
    return R"({"type":")" + type + R"(","object":)" + content + "}";
}
inline std::string bookmark(const std::string& version) {
    return event("BOOKMARK",
                 R"({"kind":"Thing","metadata":{"resourceVersion":")" + version + R"("}})");
}
inline std::string end_of_initial_events(const std::string& version) {
    return event("BOOKMARK", R"({"metadata":{"resourceVersion":")" + version +
                                 R"(","annotations":{"k8s.io/initial-events-end":"true"}}})");
}
/// The ERROR event of a Status. `details` begins with a comma.
inline std::string error(int code, const std::string& reason, const std::string& details = "") {
    return event("ERROR", R"({"kind":"Status","status":"Failure","message":"no","reason":")" +
                              reason + R"(","code":)" + std::to_string(code) + details + "}");
}
inline std::string page(const std::vector<std::string>& items, const std::string& version,
                        const std::string& token = "") {
    std::string text = R"({"metadata":{"resourceVersion":")" + version + R"(","continue":")" +
                       token + R"("},"items":[)";
    for (const auto& item : items) {
        text += (text.back() == '[' ? "" : ",") + item;
    }
    return text + "]}";
}

inline client::Failure failure(int code, const std::string& reason = "",
                               std::optional<int> retry_after = std::nullopt) {
    client::Failure failure{{Code::Unavailable, "listing things: " + std::to_string(code)}, {}};
    failure.status.code = code;
    failure.status.reason = reason;
    failure.status.retry_after_seconds = retry_after;
    return failure;
}
/// A 404 of who stands on the way, as client::refused has it of a page that is no Status.
inline client::Failure foreign_404() {
    auto why = failure(404);
    why.status.causes = {{"UnexpectedServerResponse", "<html>404 Not Found</html>", ""}};
    return why;
}
/// Nothing was answered.
inline client::Failure silence(Code code) {
    client::Failure failure{{code, "listing things: nobody there"}, {}};
    failure.status.code = 0;
    return failure;
}

class ReflectorTest : public ::testing::Test {
protected:
    static ReflectorSettings settings() {
        ReflectorSettings settings;
        settings.backoff.jitter = 0;
        return settings;
    }

    explicit ReflectorTest(const std::string& namespace_ = "") { begin(namespace_); }

    void begin(const std::string& namespace_ = "") {
        reflector.emplace(Reflector::Parts{namespace_, sink, settings(), 1});
    }

    // What is to be done now: of that kind, or the test fails.
    template <class Wanted>
    Wanted wanted() {
        const auto action = reflector->next(now);
        if (!std::holds_alternative<Wanted>(action)) {
            ADD_FAILURE() << "another action is wanted: alternative " << action.index();
            return {};
        }
        return std::get<Wanted>(action);
    }
    template <class Wanted>
    bool wants() {
        return std::holds_alternative<Wanted>(reflector->next(now));
    }
    /// The length of the pause that is wanted, which is then over.
    Duration sit_out() {
        const auto pause = wanted<Pause>().until - now;
        now += pause;
        EXPECT_FALSE(wants<Pause>()) << "a pause ends by itself";
        return pause;
    }
    /// "stream", "watch RV", "list", "list TOKEN", "read", "pause": what is wanted now.
    std::string step() {
        const auto action = reflector->next(now);
        if (const auto* get = std::get_if<GetPage>(&action)) {
            return get->continue_token.empty() ? "list" : "list " + get->continue_token;
        }
        if (const auto* open = std::get_if<OpenWatch>(&action)) {
            return open->initial_events ? "stream" + open->resource_version
                                        : "watch " + open->resource_version;
        }
        return std::holds_alternative<ReadLine>(action) ? "read" : "pause";
    }

    void got_page(const std::string& text) {
        const auto document = json::Document::parse(text);
        ASSERT_TRUE(document) << text;
        reflector->got_page(document->root(), now);
    }
    void lines(const std::vector<std::string>& all) {
        for (const auto& line : all) {
            ASSERT_EQ(step(), "read") << "before " << line;
            reflector->got_line(line, now);
        }
    }
    void open() { reflector->opened(now); }
    void fail_with(const client::Failure& why) { reflector->failed(why, now); }

    /// Streams a list of a=red at 10 and follows.
    void follow() {
        open();
        lines({event("ADDED", object("a", "red", "5")), end_of_initial_events("10")});
        static_cast<void>(sink.told());
    }
    /// Is refused streaming lists.
    void refuse_streams() {
        fail_with(failure(422, "Invalid"));
        ASSERT_EQ(step(), "list");
    }
    /// Lists a=red at 10 and follows.
    void list_and_follow() {
        refuse_streams();
        got_page(page({object("a", "red", "5")}, "10"));
        ASSERT_EQ(step(), "watch 10");
        open();
        static_cast<void>(sink.told());
    }
    [[nodiscard]] std::uint64_t relists(RelistCause cause) const {
        return reflector->condition().relists.at(static_cast<std::size_t>(cause));
    }
    [[nodiscard]] const Condition& condition() const { return reflector->condition(); }

    TimePoint now{1000s};
    RecordingSink sink;
    std::optional<Reflector> reflector;
};

}  // namespace smw::watch::testing
