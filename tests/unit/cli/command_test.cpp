#include "cli/command.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace smw::cli {
namespace {

TEST(Printable, LeavesTextAsItIs) {
    for (const auto* text :
         {"", "plain text", "quotes \" and \\ backslashes \\n", "Größe → 日本"}) {
        EXPECT_EQ(printable(text), text);
    }
}

TEST(Printable, EscapesWhatATerminalActsOn) {
    EXPECT_EQ(printable("\x1b[31mred\x1b[0m"), "\\u001b[31mred\\u001b[0m");
    EXPECT_EQ(printable("a\nb\tc"), "a\\nb\\tc");
    EXPECT_EQ(printable("\xc2\x9b"), "\\u009b");
    EXPECT_EQ(printable("\xff"), "\xef\xbf\xbd");
}

TEST(Report, WritesOneLine) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err};
    report(console, "first\nsecond");
    EXPECT_EQ(err.str(), "stateful-migration-webhook: first\\nsecond\n");
    EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace smw::cli
