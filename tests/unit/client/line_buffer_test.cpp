#include "client/line_buffer.hpp"

#include "smw/json/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace smw::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Takes all lines that are complete; "TooLarge" for an error.
std::vector<std::string> take(LineBuffer& buffer) {
    std::vector<std::string> lines;
    while (true) {
        auto next = buffer.next();
        if (!next) {
            EXPECT_EQ(next.error().code, Code::TooLarge);
            lines.emplace_back("TooLarge");
            return lines;
        }
        if (!*next) {
            return lines;
        }
        EXPECT_GE((*next)->capacity(), (*next)->size() + json::Document::kPadding);
        lines.push_back(**std::move(next));
    }
}

TEST(LineBuffer, GivesLinesWithoutTheirEnds) {
    LineBuffer buffer;
    EXPECT_THAT(take(buffer), IsEmpty());
    buffer.append("one\ntwo\r\n\n \t\r\n\r\nth\rree\n rest");
    EXPECT_THAT(take(buffer), ElementsAre("one", "two", "th\rree"));
    EXPECT_TRUE(buffer.has_rest());
    buffer.append("\n");
    EXPECT_THAT(take(buffer), ElementsAre(" rest"));
    EXPECT_FALSE(buffer.has_rest());
    buffer.append(" \r");
    EXPECT_THAT(take(buffer), IsEmpty());
    EXPECT_FALSE(buffer.has_rest()) << "blanks are no line";
}

TEST(LineBuffer, DoesNotCareWhereBytesAreSplit) {
    const std::string text = "{\"a\":1}\r\n\n{\"b\":\"\xc3\xa4\"}\nlast\r\n";
    for (std::size_t first = 0; first <= text.size(); ++first) {
        for (std::size_t second = first; second <= text.size(); ++second) {
            LineBuffer buffer;
            std::vector<std::string> lines;
            for (const auto& piece :
                 {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
                buffer.append(piece);
                for (auto& line : take(buffer)) {
                    lines.push_back(std::move(line));
                }
            }
            EXPECT_THAT(lines, ElementsAre("{\"a\":1}", "{\"b\":\"\xc3\xa4\"}", "last"))
                << first << " " << second;
            EXPECT_FALSE(buffer.has_rest());
        }
    }
}

TEST(LineBuffer, CutAnywhereHasARestUnlessALineIsComplete) {
    const std::string text = "ab\ncd\r\n";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        LineBuffer buffer;
        buffer.append(text.substr(0, size));
        take(buffer);
        const bool between = size == 0 || text[size - 1] == '\n';
        EXPECT_EQ(buffer.has_rest(), !between) << size;
    }
}

TEST(LineBuffer, TakesTheLongestLineAndNoLonger) {
    const std::string longest(LineBuffer::kMaxLine, 'x');
    LineBuffer buffer;
    buffer.append(longest);
    EXPECT_THAT(take(buffer), IsEmpty());
    buffer.append("\r\nnext\n");
    EXPECT_THAT(take(buffer), ElementsAre(longest, "next"));

    for (const char* end : {"", "\n", "\r\n", "y\nnext\n"}) {
        LineBuffer full;
        full.append(longest + "x" + end);
        EXPECT_THAT(take(full), ElementsAre("TooLarge"));
        full.append("next\n");
        EXPECT_THAT(take(full), ElementsAre("TooLarge")) << "it stays so";
        EXPECT_TRUE(full.has_rest());
    }
}

TEST(LineBuffer, LooksAtEachByteOnce) {
    // 4 MiB byte by byte: quadratic work would take hours, not seconds.
    LineBuffer buffer;
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t size = 0; size < LineBuffer::kMaxLine; ++size) {
        buffer.append("x");
        ASSERT_TRUE(buffer.next());
    }
    // And many short lines that come at once.
    buffer.append("\n");
    std::string many;
    for (int count = 0; count < 200'000; ++count) {
        many += "0123456789\n";
    }
    buffer.append(many);
    EXPECT_EQ(take(buffer).size(), 200'001U);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{30});
}

TEST(LineBuffer, GivesTheMemoryOfAHugeLineBack) {
    constexpr std::size_t kUsual = std::size_t{64} << 10;
    LineBuffer buffer;
    buffer.append(std::string(LineBuffer::kMaxLine, 'x') + "\n");
    EXPECT_GT(buffer.held(), LineBuffer::kMaxLine);
    EXPECT_THAT(take(buffer), testing::SizeIs(1));
    EXPECT_LE(buffer.held(), kUsual);
    buffer.append("after\n");
    EXPECT_THAT(take(buffer), ElementsAre("after"));

    LineBuffer broken;
    broken.append(std::string(LineBuffer::kMaxLine + 1, 'x'));
    EXPECT_THAT(take(broken), ElementsAre("TooLarge"));
    broken.append(std::string(LineBuffer::kMaxLine, 'x'));
    EXPECT_LE(broken.held(), kUsual) << "nor does it take any more";
}

}  // namespace
}  // namespace smw::client
