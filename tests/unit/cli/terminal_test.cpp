#include "cli/terminal.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace smw::cli {
namespace {

/// The two ends of a pseudo-terminal; `terminal` is what a program would write to.
class PseudoTerminal {
public:
    PseudoTerminal() : control_(posix_openpt(O_RDWR | O_NOCTTY)) {
        EXPECT_EQ(grantpt(control_), 0);
        EXPECT_EQ(unlockpt(control_), 0);
        terminal = open(ptsname(control_), O_RDWR | O_NOCTTY);
        EXPECT_GE(terminal, 0);
    }
    ~PseudoTerminal() {
        close(terminal);
        close(control_);
    }
    PseudoTerminal(const PseudoTerminal&) = delete;
    PseudoTerminal& operator=(const PseudoTerminal&) = delete;

    void resize(unsigned short columns) const {
        winsize size{};
        size.ws_col = columns;
        EXPECT_EQ(ioctl(control_, TIOCSWINSZ, &size), 0);
    }

    int terminal = -1;

private:
    int control_;
};

TEST(ReadEnvironmentBlock, TakesTheFirstOfTwo) {
    const char* const block[] = {"A=1", "B=x=y", "A=2", "no equals sign", "EMPTY=", nullptr};
    EXPECT_EQ(read_environment_block(block),
              (app::EnvironmentVariables{{"A", "1"}, {"B", "x=y"}, {"EMPTY", ""}}));
}

TEST(ColumnsOf, AsksTheTerminalFirst) {
    const PseudoTerminal pseudo;
    for (const auto& [columns, expected] :
         {std::pair<unsigned short, std::size_t>{100, 100}, {20, 60}, {400, 120}, {0, 90}}) {
        pseudo.resize(columns);
        EXPECT_EQ(columns_of(pseudo.terminal, {{"COLUMNS", "90"}}), expected) << columns;
    }
}

TEST(ColumnsOf, TakesTheVariableElse80) {
    EXPECT_EQ(columns_of(-1, {{"COLUMNS", "100"}}), 100U);
    EXPECT_EQ(columns_of(-1, {{"COLUMNS", "wide"}}), 80U);
    EXPECT_EQ(columns_of(-1, {}), 80U);
}

TEST(ShowsColours, OnATerminalThatCan) {
    const PseudoTerminal pseudo;
    EXPECT_TRUE(shows_colours(pseudo.terminal, {{"TERM", "xterm"}}));
    EXPECT_TRUE(shows_colours(pseudo.terminal, {{"TERM", "xterm"}, {"NO_COLOR", ""}}));
    EXPECT_FALSE(shows_colours(pseudo.terminal, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}));
    EXPECT_FALSE(shows_colours(pseudo.terminal, {{"TERM", "dumb"}}));
    EXPECT_FALSE(shows_colours(pseudo.terminal, {}));
}

TEST(ShowsColours, NotIntoAFile) {
    const int file = open("/dev/null", O_WRONLY);
    EXPECT_FALSE(shows_colours(file, {{"TERM", "xterm"}}));
    close(file);
}

}  // namespace
}  // namespace smw::cli
