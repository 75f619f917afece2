// The whole option table of this build, as people see it.

#include "cli/commands.hpp"

#include "cli/dispatch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace smw::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string output_of(std::vector<std::string> words) {
    const auto commands = all_commands();
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err};
    EXPECT_EQ(dispatch({std::move(words), {}}, commands, console), 0) << err.str();
    return out.str();
}

TEST(AllCommands, BeginWithServe) {
    std::vector<std::string> names;
    for (const auto& command : all_commands()) {
        names.emplace_back(command->name());
    }
    EXPECT_THAT(names, ElementsAre("serve", "review", "version", "reference", "help"));
}

TEST(AllCommands, DescribeThemselves) {
    for (const auto& command : all_commands()) {
        EXPECT_FALSE(command->summary().empty()) << command->name();
        EXPECT_FALSE(command->summary().ends_with('.')) << command->name();
        EXPECT_LE(command->summary().size(), 60U) << command->name();
    }
}

TEST(OptionTable, NamesEachOptionOnce) {
    for (const auto& command : all_commands()) {
        std::set<std::string> names;
        for (const auto& option : command->options()) {
            EXPECT_TRUE(names.insert(option.name).second) << option.name;
            EXPECT_THAT(option.name, MatchesRegex("[a-z]+(-[a-z0-9]+)*"));
            EXPECT_NE(option.name, "help");
        }
    }
}

TEST(OptionTable, SaysWhatEachOptionMeans) {
    for (const auto& command : all_commands()) {
        for (const auto& option : command->options()) {
            EXPECT_FALSE(option.group.empty()) << option.name;
            EXPECT_FALSE(option.type.empty()) << option.name;
            EXPECT_TRUE(option.text.ends_with('.')) << option.name;
            EXPECT_TRUE(option.set) << option.name;
        }
    }
}

TEST(OptionTable, HasDefaultsThatCouldBeGiven) {
    for (const auto& command : all_commands()) {
        for (const auto& option : command->options()) {
            // That of --threads depends on the machine, and is said in words.
            if (!option.initial.empty() && option.name != "threads") {
                const auto set = option.set(option.initial);
                EXPECT_TRUE(set) << option.name << ": " << set.error().message;
            }
        }
    }
}

TEST(OptionTable, FitsATerminal) {
    for (const auto* command : {"serve", "review"}) {
        std::istringstream lines{output_of({command, "--help"})};
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), 80U) << line;
        }
    }
}

TEST(Serve, PrintsAllErrorsOfItsSettings) {
    const auto commands = all_commands();
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err};
    EXPECT_EQ(dispatch({{"--enable=nonsense"}, {}}, commands, console), 2);
    EXPECT_THAT(err.str(), HasSubstr("stateful-migration-webhook: there is no source of state"));
    EXPECT_THAT(err.str(), HasSubstr("stateful-migration-webhook: --enable: there is no system"));
    EXPECT_EQ(out.str(), "");
}

TEST(Serve, TellsAMistypedFlagTogetherWithOtherErrorsAndWithoutItsEcho) {
    const auto commands = all_commands();
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err};
    EXPECT_EQ(dispatch({{"--manifest=x", "--enable=nonsense"}, {}}, commands, console), 2);
    EXPECT_THAT(err.str(), HasSubstr("did you mean --manifests?"));
    EXPECT_THAT(err.str(), HasSubstr("--enable: there is no system"));
    EXPECT_THAT(err.str(), testing::Not(HasSubstr("no source of state")));
}

TEST(Reference, IsThePageInDocs) {
    std::ifstream file{std::string{SMW_TEST_DATA} + "/../../docs/reference.md"};
    std::ostringstream page;
    page << file.rdbuf();
    EXPECT_EQ(output_of({"reference"}), page.str())
        << "write it anew: stateful-migration-webhook reference >docs/reference.md";
}

}  // namespace
}  // namespace smw::cli
