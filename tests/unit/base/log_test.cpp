#include "smw/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace smw::log {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

/// Keeps what is written to it.
class RecordingOutput final : public Output {
public:
    void write(Level level, std::string line) override {
        levels.push_back(level);
        lines.push_back(std::move(line));
    }
    [[nodiscard]] std::uint64_t dropped() const override { return 0; }

    std::vector<Level> levels;
    std::vector<std::string> lines;
};

/// A pipe whose ends close with it.
class Pipe {
public:
    Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_reader();
        close_writer();
    }

    [[nodiscard]] int writer() const { return ends_[1]; }
    void close_reader() { close_end(0); }
    void close_writer() { close_end(1); }

    /// All there is until the writing end is closed.
    [[nodiscard]] std::string read_all() {
        std::string text;
        std::array<char, 65536> buffer{};
        for (ssize_t got = 1; got > 0;) {
            got = ::read(ends_[0], buffer.data(), buffer.size());
            text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        }
        return text;
    }

private:
    void close_end(std::size_t end) {
        if (ends_[end] >= 0) {
            ::close(ends_[end]);
            ends_[end] = -1;
        }
    }

    std::array<int, 2> ends_{-1, -1};
};

TEST(Logger, WritesFromItsLevelOn) {
    RecordingOutput output;
    const Logger logger{"test", {Level::Warn, Format::Text}, output};
    logger.debug("one");
    logger.info("two");
    logger.warn("three");
    logger.error("four");
    EXPECT_THAT(output.levels, ElementsAre(Level::Warn, Level::Error));
    EXPECT_THAT(output.lines,
                ElementsAre(EndsWith("\tWARN\ttest\tthree"), EndsWith("\tERROR\ttest\tfour")));
    EXPECT_FALSE(logger.enabled(Level::Info));
    EXPECT_TRUE(logger.enabled(Level::Error));
}

TEST(Logger, WritesEverythingAtDebug) {
    RecordingOutput output;
    const Logger logger{"test", {Level::Debug, Format::Logfmt}, output};
    logger.debug("one", {{"key", "value"}});
    ASSERT_EQ(output.lines.size(), 1U);
    EXPECT_THAT(output.lines[0], EndsWith("level=debug logger=test message=one key=value"));
}

TEST(Logger, ANamedOneWritesToTheSameOutput) {
    RecordingOutput output;
    const Logger logger{"first", {Level::Info, Format::Json}, output};
    logger.named("second").info("m");
    ASSERT_EQ(output.lines.size(), 1U);
    EXPECT_THAT(output.lines[0], HasSubstr(R"("logger":"second")"));
}

TEST(Logger, StampsLinesWithTheTimeOfWriting) {
    RecordingOutput output;
    Logger{"l", {}, output}.info("m");
    const auto now = std::chrono::system_clock::now();
    const std::string today = format_line({now, Level::Info, "l", "m", {}}, Format::Text);
    // Up to the hour; at worst the test runs over the turn of one.
    EXPECT_TRUE(output.lines[0].substr(0, 13) == today.substr(0, 13) ||
                today.substr(14, 2) == "00");
}

TEST(NullOutput, TakesAndDropsEverything) {
    const auto output = make_null_output();
    output->write(Level::Error, "line");
    EXPECT_EQ(output->dropped(), 0U);
}

TEST(DescriptorOutput, WritesAllThatIsQueuedBeforeItEnds) {
    Pipe pipe;
    {
        const auto output = make_descriptor_output(pipe.writer(), 1000);
        for (int line = 0; line < 500; ++line) {
            output->write(Level::Info, "line " + std::to_string(line) + " {} {0} %s");
        }
        EXPECT_EQ(output->dropped(), 0U);
    }
    pipe.close_writer();
    std::string expected;
    for (int line = 0; line < 500; ++line) {
        expected += "line " + std::to_string(line) + " {} {0} %s\n";
    }
    EXPECT_EQ(pipe.read_all(), expected);
}

TEST(DescriptorOutput, WritesLinesLongerThanAPipeHolds) {
    Pipe pipe;
    std::string text;
    std::thread reader([&] { text = pipe.read_all(); });
    const std::string line(300'000, 'x');
    {
        const auto output = make_descriptor_output(pipe.writer(), 10);
        output->write(Level::Info, line);
    }
    pipe.close_writer();
    reader.join();
    EXPECT_EQ(text, line + "\n");
}

TEST(DescriptorOutput, DropsTheOldestAndCountsWhenNobodyReads) {
    Pipe pipe;
    constexpr std::size_t kLines = 2000;
    constexpr std::size_t kQueue = 10;
    std::string text;
    std::thread reader;
    std::uint64_t dropped = 0;
    {
        const auto output = make_descriptor_output(pipe.writer(), kQueue);
        for (std::size_t line = 0; line < kLines; ++line) {
            // Without a reader: a pipe holds 64 KiB, and writing waits for nobody.
            output->write(Level::Info, std::to_string(line) + std::string(1000, ' '));
        }
        dropped = output->dropped();
        reader = std::thread([&] { text = pipe.read_all(); });
    }
    pipe.close_writer();
    reader.join();
    EXPECT_GT(dropped, kLines - 100);
    EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
              kLines - dropped);
    for (std::size_t line = kLines - kQueue; line < kLines; ++line) {
        EXPECT_THAT("\n" + text, HasSubstr("\n" + std::to_string(line) + " "));
    }
}

TEST(DescriptorOutput, SurvivesAReaderThatIsGone) {
    Pipe pipe;
    pipe.close_reader();
    std::uint64_t dropped = 0;
    {
        const auto output = make_descriptor_output(pipe.writer(), 10);
        output->write(Level::Info, "to nobody");
        while (dropped == 0) {
            dropped = output->dropped();
            std::this_thread::yield();
        }
    }
    EXPECT_EQ(dropped, 1U);
}

TEST(DescriptorOutput, SurvivesAClosedDescriptor) {
    Pipe pipe;
    const int descriptor = pipe.writer();
    pipe.close_writer();
    const auto output = make_descriptor_output(descriptor, 10);
    output->write(Level::Info, "to nobody");
    while (output->dropped() == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(output->dropped(), 1U);
}

TEST(DescriptorOutput, EndsThoughItsReaderTakesNothing) {
    Pipe pipe;
    const auto begin = std::chrono::steady_clock::now();
    {
        const auto output = make_descriptor_output(pipe.writer(), 100);
        for (int line = 0; line < 100; ++line) {
            output->write(Level::Info, std::string(4000, 'x'));
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(DescriptorOutput, LeavesSignalsOfTheProcessAlone) {
    struct sigaction before {};
    ::sigaction(SIGPIPE, nullptr, &before);
    const auto output = make_stderr_output();
    struct sigaction after {};
    ::sigaction(SIGPIPE, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
    sigset_t blocked;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    EXPECT_EQ(::sigismember(&blocked, SIGPIPE), 0);
}

TEST(DescriptorOutput, TakesLinesFromManyThreadsWhole) {
    Pipe pipe;
    std::string text;
    std::thread reader([&] { text = pipe.read_all(); });
    {
        const auto output = make_descriptor_output(pipe.writer(), 10'000);
        std::vector<std::thread> writers;
        for (int writer = 0; writer < 4; ++writer) {
            writers.emplace_back([&output, writer] {
                for (int line = 0; line < 500; ++line) {
                    output->write(Level::Info, std::string(50, static_cast<char>('a' + writer)));
                }
            });
        }
        for (std::thread& writer : writers) {
            writer.join();
        }
    }
    pipe.close_writer();
    reader.join();
    EXPECT_EQ(text.size(), 4U * 500U * 51U);
    for (std::size_t at = 0; at < text.size(); at += 51) {
        const std::string line = text.substr(at, 51);
        ASSERT_EQ(line, std::string(50, line[0]) + "\n");
    }
}

}  // namespace
}  // namespace smw::log
