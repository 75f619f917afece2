// 2,000 random faults, seeded: after each burst of them, and some quiet, the sink has what the
// server has, and at no moment it lost what was there all the time.
#include "unit/watch/reflected.hpp"

#include <deque>
#include <map>
#include <random>
#include <set>

namespace smw::watch::testing {
namespace {

using ::testing::Contains;

constexpr auto kKeeper = "ns/keeper=red";

/// Objects, their history, and pages and streams of it, without faults.
class ModelServer {
public:
    void put(const std::string& name, const std::string& colour) {
        const bool known = objects_.contains(name);
        record(known ? "MODIFIED" : "ADDED", name, colour);
        objects_[name] = object(name, colour, std::to_string(version_));
        colours_[name] = colour;
    }
    void erase(const std::string& name) {
        if (objects_.erase(name) > 0) {
            record("DELETED", name, colours_[name]);
            colours_.erase(name);
        }
    }
    /// What happened so far cannot be watched any more, and lists under way cannot be continued;
    /// who watches already goes on.
    void compact() {
        queue_lines();
        compacted_ = version_;
        history_.clear();
        pages_.clear();
    }

    /// Nothing: the token has expired.
    std::optional<std::string> list(const GetPage& get) {
        Rest rest;
        if (get.continue_token.empty()) {
            rest.version = version_;
            for (const auto& [name, text] : objects_) {
                rest.objects.push_back(text);
            }
        } else if (const auto found = pages_.find(get.continue_token); found != pages_.end()) {
            rest = found->second;
        } else {
            return std::nullopt;
        }
        std::vector<std::string> items;
        while (!rest.objects.empty() && items.size() < get.limit) {
            items.push_back(rest.objects.front());
            rest.objects.pop_front();
        }
        const auto token = rest.objects.empty() ? "" : "t" + std::to_string(++tokens_);
        if (!token.empty()) {
            pages_[token] = rest;
        }
        return page(items, std::to_string(rest.version), token);
    }

    /// Whether the resource version is still known.
    bool watch(const OpenWatch& open) {
        lines_.clear();
        if (open.initial_events) {
            for (const auto& [name, text] : objects_) {
                lines_.push_back(event("ADDED", text));
            }
            lines_.push_back(end_of_initial_events(std::to_string(version_)));
            at_ = version_;
            return true;
        }
        at_ = std::stoull(open.resource_version);
        return at_ >= compacted_;
    }
    /// Of the watch; nothing when all was told.
    std::optional<std::string> line() {
        queue_lines();
        if (lines_.empty()) {
            return std::nullopt;
        }
        const auto next = lines_.front();
        lines_.pop_front();
        return next;
    }
    [[nodiscard]] std::vector<std::string> content() const {
        std::vector<std::string> all;
        for (const auto& [name, colour] : colours_) {
            all.push_back("ns/" + name + "=" + colour);
        }
        return all;
    }

private:
    struct Rest {
        std::uint64_t version = 0;
        std::deque<std::string> objects;
    };

    void queue_lines() {
        for (const auto& [version, text] : history_) {
            if (version > at_) {
                lines_.push_back(text);
            }
        }
        at_ = version_;
    }
    void record(const std::string& type, const std::string& name, const std::string& colour) {
        ++version_;
        history_.emplace_back(version_,
                              event(type, object(name, colour, std::to_string(version_))));
    }

    std::uint64_t version_ = 100;
    std::uint64_t compacted_ = 100;
    std::map<std::string, std::string> objects_;
    std::map<std::string, std::string> colours_;
    std::deque<std::pair<std::uint64_t, std::string>> history_;
    std::map<std::string, Rest> pages_;
    int tokens_ = 0;
    // The watch.
    std::uint64_t at_ = 0;
    std::deque<std::string> lines_;
};

class ReflectorFaults : public ::testing::TestWithParam<unsigned> {
protected:
    ReflectorFaults() {
        server.put("keeper", "red");
        for (int count = 0; count < 10; ++count) {
            change();
        }
    }

    int pick(int choices) { return static_cast<int>(random() % static_cast<unsigned>(choices)); }
    void change() {
        const auto name = "o" + std::to_string(pick(12));
        if (pick(3) == 0) {
            server.erase(name);
        } else {
            server.put(name, "c" + std::to_string(pick(1000)));
        }
    }

    void refuse(const client::Failure& why) { reflector.failed(why, now); }

    /// Answers one action without a fault. Whether all was told.
    bool answer(const Action& action) {
        if (const auto* get = std::get_if<GetPage>(&action)) {
            const auto text = server.list(*get);
            if (!text) {
                refuse(failure(410, "Expired"));
                return false;
            }
            reflector.got_page(json::Document::parse(*text)->root(), now);
        } else if (const auto* open = std::get_if<OpenWatch>(&action)) {
            last_line.clear();
            if (open->initial_events && !streaming) {
                refuse(failure(422, "Invalid"));
            } else if (server.watch(*open)) {
                reflector.opened(now);
            } else if (pick(2) == 0) {
                refuse(failure(410, "Expired"));
            } else {
                reflector.opened(now);
                reflector.got_line(error(410, "Expired"), now);
            }
        } else if (const auto* pause = std::get_if<Pause>(&action)) {
            now = pause->until;
        } else {
            return read();
        }
        return false;
    }
    bool read() {
        const auto next = server.line();
        if (!next) {
            return true;
        }
        now += 10ms;
        reflector.got_line(*next, now);
        last_line = *next;
        return false;
    }

    /// Spoils the answer to this action.
    void spoil(const Action& action) {
        if (std::holds_alternative<Pause>(action)) {
            now = std::get<Pause>(action).until;
        } else if (std::holds_alternative<ReadLine>(action)) {
            spoil_stream(std::get<ReadLine>(action));
        } else {
            spoil_answer(action);
        }
    }
    void spoil_stream(const ReadLine& reading) {
        switch (pick(12)) {
            case 0:
                return refuse(silence(Code::Unavailable));
            case 1:
                now += 2s;
                return reflector.closed(now);
            case 2:
                return reflector.closed(now);
            case 3:
                now = reading.until;
                return refuse(silence(Code::DeadlineExceeded));
            case 4:
                return reflector.got_line(error(410, "Expired"), now);
            case 5:
                return reflector.got_line(error(500, "InternalError"), now);
            case 6:
                return reflector.got_line(R"({"type":"ADDED","obj)", now);
            case 7:
                return reflector.got_line(event("MODIFIED", R"({"metadata":{}})"), now);
            case 8:
                return reflector.got_line(last_line, now);
            case 9:
                return refuse(silence(Code::TooLarge));
            case 10:
                return reflector.got_line(event("BOOKMARK", R"({"metadata":{}})"), now);
            default:
                return reflector.got_line("", now);
        }
    }
    void spoil_answer(const Action& action) {
        switch (pick(10)) {
            case 0:
                return refuse(failure(410, "Expired"));
            case 1:
                return refuse(failure(429, "TooManyRequests", pick(5)));
            case 2:
                return refuse(failure(500));
            case 3:
                return refuse(failure(403, "Forbidden"));
            case 4:
                return refuse(failure(404, "NotFound"));
            case 5:
                now += 60s;
                return refuse(silence(Code::DeadlineExceeded));
            case 6:
                return refuse(silence(Code::TooLarge));
            case 7:
                return refuse(silence(Code::Unavailable));
            case 8: {
                auto too_large = failure(504, "Timeout");
                too_large.status.causes = {{"ResourceVersionTooLarge", "", ""}};
                return refuse(too_large);
            }
            default:
                if (std::holds_alternative<GetPage>(action)) {
                    const auto document = json::Document::parse(R"({"items":{}})");
                    return reflector.got_page(document->root(), now);
                }
                return refuse(failure(400));
        }
    }

    void expect_keeper() {
        if (reflector.condition().synced) {
            ASSERT_THAT(sink.content(), Contains(kKeeper));
        }
    }

    /// A burst of faults among changes.
    void storm(int faults) {
        while (faults > 0) {
            if (pick(2) == 0) {
                change();
            }
            if (pick(10) == 0) {
                server.compact();
            }
            const auto action = reflector.next(now);
            if (pick(3) == 0) {
                spoil(action);
                --faults;
            } else if (answer(action)) {
                change();
            }
            ASSERT_NO_FATAL_FAILURE(expect_keeper());
        }
    }
    /// No more faults, until all was told.
    void calm() {
        for (int steps = 0; steps < 1000; ++steps) {
            if (answer(reflector.next(now))) {
                return;
            }
            ASSERT_NO_FATAL_FAILURE(expect_keeper());
        }
        FAIL() << "it does not settle";
    }

    static ReflectorSettings settings() {
        ReflectorSettings settings;
        settings.page_limit = 3;
        settings.absent_for_good = 24h;
        return settings;
    }

    std::mt19937 random{GetParam()};
    bool streaming = GetParam() % 2 == 0;
    TimePoint now{1000s};
    ModelServer server;
    std::string last_line;  ///< of this stream: told again it changes nothing
    RecordingSink sink;
    Reflector reflector{Reflector::Parts{"", sink, settings(), 7}};
};

TEST_P(ReflectorFaults, EndInTheStateOfTheServer) {
    for (int round = 0; round < 4; ++round) {
        ASSERT_NO_FATAL_FAILURE(storm(5));
        ASSERT_NO_FATAL_FAILURE(calm());
        EXPECT_EQ(sink.content(), server.content());
        EXPECT_TRUE(reflector.condition().synced);
        EXPECT_FALSE(reflector.condition().absent);
        EXPECT_EQ(reflector.condition().problem, "");
        const auto& relists = reflector.condition().relists;
        EXPECT_EQ(relists[0], 1U) << "one relist is the first";
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReflectorFaults, ::testing::Range(0U, 100U));

}  // namespace
}  // namespace smw::watch::testing
