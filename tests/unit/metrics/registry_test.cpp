#include "smw/metrics/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace smw::metrics {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

using Labels = std::map<std::string, std::string>;

struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
};

/// A reader of the text format 0.0.4, written from its description, not from our writer.
class Exposition {
public:
    explicit Exposition(const std::string& text) {
        EXPECT_TRUE(text.empty() || text.back() == '\n');
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = text.find('\n', begin);
            line(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }

    [[nodiscard]] double value(const std::string& name, const Labels& labels = {}) const {
        for (const Sample& sample : samples) {
            if (sample.name == name && sample.labels == labels) {
                return sample.value;
            }
        }
        ADD_FAILURE() << "no sample " << name;
        return std::numeric_limits<double>::quiet_NaN();
    }

    std::map<std::string, std::string> types;
    std::map<std::string, std::string> help;
    std::vector<Sample> samples;

private:
    void line(const std::string& text) {
        if (text.rfind("# HELP ", 0) == 0) {
            const std::size_t blank = text.find(' ', 7);
            EXPECT_TRUE(help.emplace(text.substr(7, blank - 7), text.substr(blank + 1)).second);
        } else if (text.rfind("# TYPE ", 0) == 0) {
            const std::size_t blank = text.find(' ', 7);
            EXPECT_TRUE(types.emplace(text.substr(7, blank - 7), text.substr(blank + 1)).second);
        } else if (!text.empty() && text[0] != '#') {
            sample(text);
        }
    }

    void sample(const std::string& text) {
        Sample read;
        std::size_t at = text.find_first_of("{ ");
        ASSERT_NE(at, std::string::npos) << text;
        read.name = text.substr(0, at);
        if (text[at] == '{') {
            ++at;
            while (text[at] != '}') {
                const std::size_t equals = text.find("=\"", at);
                ASSERT_NE(equals, std::string::npos) << text;
                const std::string label = text.substr(at, equals - at);
                at = equals + 2;
                EXPECT_TRUE(read.labels.emplace(label, label_value(text, at)).second) << text;
                at += text[at] == ',' ? 1 : 0;
            }
            ++at;
        }
        ASSERT_EQ(text[at], ' ') << text;
        std::size_t used = 0;
        read.value = std::stod(text.substr(at + 1), &used);
        EXPECT_EQ(at + 1 + used, text.size()) << text;
        samples.push_back(std::move(read));
    }

    /// From behind the opening quotation mark; `at` ends behind the closing one.
    static std::string label_value(const std::string& text, std::size_t& at) {
        std::string value;
        while (text.at(at) != '"') {
            if (text.at(at) == '\\') {
                ++at;
                value += text.at(at) == 'n' ? '\n' : text.at(at);
            } else {
                value += text.at(at);
            }
            ++at;
        }
        ++at;
        return value;
    }
};

TEST(Registry, ExposesCountersGaugesAndTheirHelp) {
    Registry registry;
    const auto requests = registry.counter({"smw_requests_total", "Requests.", {"code", "verb"}});
    requests.with({"200", "get"}).increment();
    requests.with({"200", "get"}).increment(2.5);
    requests.with({"404", "get"}).increment();
    const auto up = registry.gauge({"smw_up", "Whether it is up.", {}});
    up.with({}).set(7);
    up.with({}).add(-3);

    const Exposition text(registry.expose());
    EXPECT_EQ(text.types.at("smw_requests_total"), "counter");
    EXPECT_EQ(text.help.at("smw_requests_total"), "Requests.");
    EXPECT_EQ(text.types.at("smw_up"), "gauge");
    EXPECT_EQ(text.value("smw_requests_total", {{"code", "200"}, {"verb", "get"}}), 3.5);
    EXPECT_EQ(text.value("smw_requests_total", {{"code", "404"}, {"verb", "get"}}), 1);
    EXPECT_EQ(text.value("smw_up"), 4);
}

TEST(Registry, HandlesReadBack) {
    Registry registry;
    const Counter counter = registry.counter({"c", "h", {}}).with({});
    counter.increment(2);
    EXPECT_EQ(counter.value(), 2);
    const Gauge gauge = registry.gauge({"g", "h", {}}).with({});
    gauge.set(-1.5);
    EXPECT_EQ(gauge.value(), -1.5);
}

TEST(Registry, ACounterNeverFalls) {
    Registry registry;
    const Counter counter = registry.counter({"c", "h", {}}).with({});
    counter.increment(2);
    counter.increment(-1);
    EXPECT_EQ(counter.value(), 2);
}

TEST(Registry, AMetricExistsAtZeroOnceItWasAskedFor) {
    Registry registry;
    const auto family = registry.counter({"c_total", "h", {"l"}});
    for (const Sample& sample : Exposition(registry.expose()).samples) {
        EXPECT_NE(sample.name, "c_total");
    }
    (void)family.with({"a"});
    EXPECT_EQ(Exposition(registry.expose()).value("c_total", {{"l", "a"}}), 0);
}

TEST(Registry, ExposesHistogramsCumulatively) {
    Registry registry;
    const std::array<double, 4> buckets{.0001, .00025, 1, 10};
    const auto family = registry.histogram({"smw_seconds", "h", {"webhook"}}, buckets);
    const Histogram histogram = family.with({"restore"});
    for (const double value : {.00005, .0001, .0002, .5, 5., 50.}) {
        histogram.observe(value);
    }
    const Exposition text(registry.expose());
    EXPECT_EQ(text.types.at("smw_seconds"), "histogram");
    std::vector<std::pair<std::string, double>> found;
    for (const Sample& sample : text.samples) {
        if (sample.name == "smw_seconds_bucket") {
            EXPECT_EQ(sample.labels.at("webhook"), "restore");
            found.emplace_back(sample.labels.at("le"), sample.value);
        }
    }
    EXPECT_THAT(found, ElementsAre(Pair("0.0001", 2), Pair("0.00025", 3), Pair("1", 4),
                                   Pair("10", 5), Pair("+Inf", 6)));
    EXPECT_EQ(text.value("smw_seconds_count", {{"webhook", "restore"}}), 6);
    EXPECT_NEAR(text.value("smw_seconds_sum", {{"webhook", "restore"}}), 55.50035, 1e-9);
}

TEST(Registry, PrintsTheBucketsOfTheContractAsTheyAreWritten) {
    Registry registry;
    const std::vector<double> buckets{.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                      .05,   .1,     .25,   .5,   1,     2.5,  5,   10};
    registry.histogram({"d", "h", {}}, buckets).with({}).observe(0);
    const std::string text = registry.expose();
    for (const char* bound :
         {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
          "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"}) {
        EXPECT_THAT(text, HasSubstr(std::string("d_bucket{le=\"") + bound + "\"} 1\n"));
    }
}

TEST(Registry, EscapesLabelValuesAndHelp) {
    Registry registry;
    const std::string evil = "a\\b\"c\nd{e=\"f\"},é \xFF";
    registry.gauge({"g", "two\nlines \\ and # TYPE", {"l"}}).with({evil}).set(1);
    const Exposition text(registry.expose());
    EXPECT_EQ(text.value("g", {{"l", "a\\b\"c\nd{e=\"f\"},é \xEF\xBF\xBD"}}), 1);
    EXPECT_EQ(text.help.at("g"), "two\\nlines \\\\ and # TYPE");
}

TEST(Registry, WritesLargeAndSmallNumbersExactly) {
    Registry registry;
    const auto family = registry.gauge({"g", "h", {"l"}});
    const std::array<double, 6> values{1795257117.123, 9007199254740991., 1e-9, 0.1, -0.5, 1e300};
    std::size_t index = 0;
    for (const double value : values) {
        family.with({std::to_string(index++)}).set(value);
    }
    family.with({"inf"}).set(std::numeric_limits<double>::infinity());
    const Exposition text(registry.expose());
    index = 0;
    for (const double value : values) {
        EXPECT_DOUBLE_EQ(text.value("g", {{"l", std::to_string(index++)}}), value);
    }
    EXPECT_EQ(text.value("g", {{"l", "inf"}}), std::numeric_limits<double>::infinity());
}

TEST(Registry, TheSameNameGivesTheSameFamily) {
    Registry registry;
    registry.counter({"c", "h", {"l"}}).with({"a"}).increment();
    const Counter again = registry.counter({"c", "h", {"l"}}).with({"a"});
    again.increment();
    EXPECT_EQ(again.value(), 2);
    const std::array<double, 1> buckets{1};
    registry.histogram({"d", "h", {}}, buckets).with({}).observe(1);
    registry.histogram({"d", "h", {}}, buckets).with({}).observe(1);
    EXPECT_EQ(Exposition(registry.expose()).value("d_count"), 2);
}

TEST(Registry, ThrowsAtADefectiveUse) {
    Registry registry;
    const std::array<double, 2> buckets{1, 2};
    const std::array<double, 2> other{1, 3};
    const std::array<double, 2> falling{2, 1};
    const std::array<double, 2> twice{1, 1};
    const std::array<double, 1> infinite{std::numeric_limits<double>::infinity()};
    const auto family = registry.counter({"c", "h", {"a", "b"}});
    (void)registry.histogram({"d", "h", {}}, buckets);
    EXPECT_THROW((void)family.with({}), std::logic_error);
    EXPECT_THROW((void)family.with({"1"}), std::logic_error);
    EXPECT_THROW((void)family.with({"1", "2", "3"}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"c", "h", {"a"}}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"c", "h", {"b", "a"}}), std::logic_error);
    EXPECT_THROW((void)registry.gauge({"c", "h", {"a", "b"}}), std::logic_error);
    EXPECT_THROW((void)registry.histogram({"d", "h", {}}, other), std::logic_error);
    EXPECT_THROW((void)registry.counter({"", "h", {}}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"a-b", "h", {}}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"1a", "h", {}}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"x", "h", {"a-b"}}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"x", "h", {"__a"}}), std::logic_error);
    EXPECT_THROW((void)registry.counter({"x", "h", {"a", "a"}}), std::logic_error);
    EXPECT_THROW((void)registry.histogram({"x", "h", {"le"}}, buckets), std::logic_error);
    EXPECT_THROW((void)registry.histogram({"x", "h", {}}, {}), std::logic_error);
    EXPECT_THROW((void)registry.histogram({"x", "h", {}}, falling), std::logic_error);
    EXPECT_THROW((void)registry.histogram({"x", "h", {}}, twice), std::logic_error);
    EXPECT_THROW((void)registry.histogram({"x", "h", {}}, infinite), std::logic_error);
    EXPECT_NO_THROW((void)registry.counter({"x", "h", {}}));
}

TEST(Registry, RefreshesBeforeEachExposition) {
    Registry registry;
    const Gauge gauge = registry.gauge({"g", "h", {}}).with({});
    int calls = 0;
    registry.on_collect([&] { gauge.set(++calls); });
    registry.on_collect([&] { gauge.add(0.5); });
    EXPECT_EQ(Exposition(registry.expose()).value("g"), 1.5);
    EXPECT_EQ(Exposition(registry.expose()).value("g"), 2.5);
}

TEST(Registry, ARefreshMayMakeMetrics) {
    Registry registry;
    registry.on_collect([&] { registry.gauge({"late", "h", {}}).with({}).set(1); });
    EXPECT_EQ(Exposition(registry.expose()).value("late"), 1);
}

TEST(Registry, ExposesTheProcess) {
    const Registry registry;
    const Exposition text(registry.expose());
    EXPECT_EQ(text.types.at("process_cpu_seconds_total"), "counter");
    for (const char* name :
         {"process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds",
          "process_max_fds", "process_start_time_seconds", "process_threads"}) {
        EXPECT_THAT(text.types, Contains(Pair(name, "gauge")));
        EXPECT_THAT(text.help, Contains(Key(name)));
        EXPECT_GT(text.value(name), 0) << name;
    }
}

TEST(Registry, ExposesInTheSameOrderEachTime) {
    Registry registry;
    const auto family = registry.counter({"c", "h", {"l"}});
    for (const char* label : {"d", "a", "c", "b", "e"}) {
        (void)family.with({label});
    }
    (void)registry.gauge({"a", "h", {}}).with({});
    std::vector<std::string> found;
    for (const Sample& sample : Exposition(registry.expose()).samples) {
        if (sample.name == "a" || sample.name == "c") {
            found.push_back(sample.name + (sample.labels.empty() ? "" : sample.labels.at("l")));
        }
    }
    EXPECT_THAT(found, ElementsAre("a", "ca", "cb", "cc", "cd", "ce"));
}

TEST(Registry, CountsFromManyThreadsWhileItExposes) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 2000;
    Registry registry;
    const auto counters = registry.counter({"c_total", "h", {"thread"}});
    const auto gauges = registry.gauge({"g", "h", {}});
    const std::array<double, 2> buckets{1, 2};
    const auto histograms = registry.histogram({"d", "h", {}}, buckets);
    registry.on_collect([&] { gauges.with({}).set(1); });
    std::atomic<int> running{kThreads};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            const Histogram histogram = histograms.with({});
            for (int round = 0; round < kRounds; ++round) {
                counters.with({"all"}).increment();
                counters.with({std::to_string(thread)}).increment();
                histogram.observe(round % 3);
                (void)registry.counter({"made_" + std::to_string(round % 5), "h", {}});
            }
            --running;
        });
    }
    double last = 0;
    while (running > 0) {
        const Exposition text(registry.expose());
        for (const Sample& sample : text.samples) {
            if (sample.name == "c_total" && sample.labels.at("thread") == "all") {
                EXPECT_GE(sample.value, last);
                last = sample.value;
            }
        }
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const Exposition text(registry.expose());
    EXPECT_EQ(text.value("c_total", {{"thread", "all"}}), kThreads * kRounds);
    EXPECT_EQ(text.value("c_total", {{"thread", "3"}}), kRounds);
    EXPECT_EQ(text.value("d_count"), kThreads * kRounds);
}

}  // namespace
}  // namespace smw::metrics
