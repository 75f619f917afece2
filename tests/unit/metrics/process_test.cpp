#include "metrics/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fcntl.h>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

namespace smw::metrics {
namespace {

constexpr const char* kRest =
    " S 1 2 3 4 5 6 7 8 9 10 1400 1500 16 17 18 19 20 21 2200 2300 2400 25 26\n";

std::map<std::string, double> read() {
    std::map<std::string, double> values;
    for (const ProcessMetric& metric : read_process_metrics()) {
        EXPECT_FALSE(metric.help.empty());
        EXPECT_TRUE(values.emplace(metric.name, metric.value).second) << metric.name;
    }
    return values;
}

TEST(ProcessStat, CountsFieldsBehindTheName) {
    const ProcessStat expected{1400, 1500, 20, 2200, 2300, 2400};
    for (const char* name : {"server", "two words", "a) S 1", ") (", "", "((("}) {
        EXPECT_EQ(parse_process_stat(std::string("7 (") + name + ")" + kRest), expected) << name;
    }
}

TEST(ProcessStat, RefusesWhatIsCutOrNoNumber) {
    const std::string whole = std::string("7 (server)") + kRest;
    const std::size_t enough = whole.find("2400") + 4;
    for (std::size_t length = 0; length < enough - 3; ++length) {
        EXPECT_FALSE(parse_process_stat(whole.substr(0, length))) << length;
    }
    EXPECT_TRUE(parse_process_stat(whole.substr(0, enough)));
    EXPECT_FALSE(
        parse_process_stat("7 (server) S 1 2 3 4 5 6 7 8 9 10 x 15 16 17 18 19 20 21 22 23 24"));
    EXPECT_FALSE(parse_process_stat("no bracket at all"));
}

TEST(MaxOpenFiles, ReadsTheSoftLimit) {
    EXPECT_EQ(parse_max_open_files("Limit   Soft Limit  Hard Limit Units\n"
                                   "Max cpu time  unlimited unlimited seconds\n"
                                   "Max open files            1024       524288      files \n"
                                   "Max locked memory 8 8 bytes\n"),
              1024.0);
}

TEST(MaxOpenFiles, MayBeUnlimited) {
    EXPECT_TRUE(std::isinf(*parse_max_open_files("Max open files  unlimited unlimited files\n")));
}

TEST(MaxOpenFiles, IsUnknownWithoutItsLine) {
    for (const char* text : {"", "Max cpu time 1 2 seconds\n", "Max open files\n9 9 files",
                             "Max open files  x y files\n"}) {
        EXPECT_FALSE(parse_max_open_files(text)) << text;
    }
}

TEST(ProcessMetrics, DescribeThisProcess) {
    const auto values = read();
    const double now = static_cast<double>(std::chrono::duration_cast<std::chrono::seconds>(
                                               std::chrono::system_clock::now().time_since_epoch())
                                               .count());
    ASSERT_EQ(values.size(), 7U);
    EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
    EXPECT_LT(values.at("process_cpu_seconds_total"), 3600);
    EXPECT_GT(values.at("process_resident_memory_bytes"), 1e5);
    EXPECT_GT(values.at("process_virtual_memory_bytes"),
              values.at("process_resident_memory_bytes"));
    EXPECT_GE(values.at("process_threads"), 1);
    EXPECT_GT(values.at("process_max_fds"), values.at("process_open_fds"));
    EXPECT_GT(values.at("process_start_time_seconds"), now - 3600);
    EXPECT_LT(values.at("process_start_time_seconds"), now + 60);
}

TEST(ProcessMetrics, CountOpenDescriptors) {
    const double before = read().at("process_open_fds");
    std::vector<int> opened;
    for (int count = 0; count < 5; ++count) {
        opened.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    EXPECT_EQ(read().at("process_open_fds"), before + 5);
    for (const int descriptor : opened) {
        ::close(descriptor);
    }
    EXPECT_EQ(read().at("process_open_fds"), before);
}

}  // namespace
}  // namespace smw::metrics
