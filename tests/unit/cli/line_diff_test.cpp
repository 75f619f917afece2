#include "cli/line_diff.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace smw::cli {
namespace {

std::string numbered(int first, int last) {
    std::string text;
    for (int line = first; line <= last; ++line) {
        text += std::to_string(line) + "\n";
    }
    return text;
}

TEST(LineDiff, IsEmptyForTheSameText) {
    for (const std::string& text : {std::string{}, std::string{"a\n"}, numbered(1, 100)}) {
        EXPECT_EQ(line_diff(text, text), "");
    }
    EXPECT_EQ(line_diff("a", "a\n"), "");
}

struct Case {
    std::string before;
    std::string after;
    std::string hunks;
};

// As `diff -u` of GNU diffutils writes them.
TEST(LineDiff, WritesUnifiedHunks) {
    const std::vector<Case> cases{
        {"", "a\n", "@@ -0,0 +1 @@\n+a\n"},
        {"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
        {"a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"},
        {"a\nb\n", "c\nd\n", "@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n"},
        {"", "a\n\nb\n", "@@ -0,0 +1,3 @@\n+a\n+\n+b\n"},
        {numbered(1, 10), numbered(1, 4) + "x\n" + numbered(6, 10),
         "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
        {numbered(1, 10), numbered(1, 5) + "x\n" + numbered(6, 10),
         "@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+x\n 6\n 7\n 8\n"},
        {numbered(1, 10), numbered(1, 9), "@@ -7,4 +7,3 @@\n 7\n 8\n 9\n-10\n"},
        {numbered(1, 10), "0\n" + numbered(1, 10), "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n"},
    };
    for (const auto& [before, after, hunks] : cases) {
        EXPECT_EQ(line_diff(before, after), hunks) << before << "->\n" << after;
    }
}

TEST(LineDiff, JoinsHunksWhoseContextTouches) {
    // Six lines between the changes: their contexts touch. Seven: they do not.
    EXPECT_EQ(line_diff("a\n" + numbered(1, 6) + "b\n", "x\n" + numbered(1, 6) + "y\n"),
              "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n");
    EXPECT_EQ(line_diff("a\n" + numbered(1, 7) + "b\n", "x\n" + numbered(1, 7) + "y\n"),
              "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n");
}

TEST(LineDiff, FindsTheFewestLines) {
    EXPECT_EQ(line_diff("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n").size(),
              std::string{"@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n"}.size());
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

/// What patch(1) does, and nothing more.
std::string apply_hunks(const std::string& before, const std::string& diff) {
    const auto old_lines = split(before);
    std::string out;
    std::size_t at = 0;
    const auto keep = [&] {
        out += old_lines.at(at++) + "\n";
    };
    for (const auto& line : split(diff)) {
        if (line[0] == '@') {
            std::size_t first = 0;
            std::size_t count = 1;
            std::sscanf(line.c_str(), "@@ -%zu,%zu", &first, &count);
            for (const auto start = count == 0 ? first : first - 1; at < start;) {
                keep();
            }
        } else if (line[0] == '+') {
            out += line.substr(1) + "\n";
        } else {
            EXPECT_EQ(line.substr(1), old_lines.at(at));
            line[0] == ' ' ? keep() : static_cast<void>(++at);
        }
    }
    while (at < old_lines.size()) {
        keep();
    }
    return out;
}

TEST(LineDiff, CanBeApplied) {
    std::mt19937 random{7};
    const auto text = [&random](std::size_t lines, unsigned letters) {
        std::string out;
        for (std::size_t line = 0; line < lines; ++line) {
            out += std::string(1, static_cast<char>('a' + random() % letters)) + "\n";
        }
        return out;
    };
    for (int round = 0; round < 500; ++round) {
        const auto letters = static_cast<unsigned>(1 + random() % 6);
        const auto before = text(random() % 40, letters);
        const auto after = text(random() % 40, letters);
        EXPECT_EQ(apply_hunks(before, line_diff(before, after)), after);
    }
}

TEST(LineDiff, ReplacesTheMiddleWhenTooMuchDiffers) {
    std::string before = "head\n";
    std::string after = "head\n";
    for (int line = 0; line < 2000; ++line) {
        before += "a" + std::to_string(line) + "\n";
        after += "b" + std::to_string(line) + "\n";
    }
    const auto diff = line_diff(before + "tail\n", after + "tail\n");
    EXPECT_EQ(diff.substr(0, 30), "@@ -1,2002 +1,2002 @@\n head\n-a");
    EXPECT_EQ(apply_hunks(before + "tail\n", diff), after + "tail\n");
}

}  // namespace
}  // namespace smw::cli
