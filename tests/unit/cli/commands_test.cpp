// The whole option table of this build, as people see it.

#include "cli/commands.hpp"

#include "cli/dispatch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace smw::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

struct Ran {
    int status = 0;
    std::string out;
    std::string err;
};

Ran run(std::vector<std::string> words) {
    const auto commands = all_commands();
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err};
    const int status = dispatch({std::move(words), {}}, commands, console);
    return {status, out.str(), err.str()};
}

std::string output_of(std::vector<std::string> words) {
    const auto ran = run(std::move(words));
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
}

TEST(AllCommands, BeginWithServe) {
    std::vector<std::string> names;
    for (const auto& command : all_commands()) {
        names.emplace_back(command->name());
    }
    EXPECT_THAT(names, ElementsAre("serve", "review", "certs inspect", "certs issue",
                                   "certs rotate", "version", "reference", "help"));
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
    for (const auto& command : all_commands()) {
        std::istringstream lines{output_of({"help", std::string{command->name()}})};
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), 80U) << line;
        }
    }
}

TEST(Serve, PrintsAllErrorsOfItsSettings) {
    const auto ran = run({"--enable=nonsense"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("stateful-migration-webhook: there is no source of state"));
    EXPECT_THAT(ran.err, HasSubstr("stateful-migration-webhook: --enable: there is no system"));
    EXPECT_EQ(ran.out, "");
}

TEST(Serve, TellsAMistypedFlagTogetherWithOtherErrorsAndWithoutItsEcho) {
    const auto ran = run({"--manifest=x", "--enable=nonsense"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("did you mean --manifests?"));
    EXPECT_THAT(ran.err, HasSubstr("--enable: there is no system"));
    EXPECT_THAT(ran.err, testing::Not(HasSubstr("no source of state")));
}

TEST(Serve, RefusesABadSpanOfTimeAndNamesItsFlag) {
    for (const std::string flag : {"watch-silence", "max-staleness", "api-lookup-budget"}) {
        for (const auto* value : {"", "soon", "10", "-1s", "999999999h", "1s 2s"}) {
            const auto ran = run({"--manifests=x", "--" + flag + "=" + value});
            EXPECT_EQ(ran.status, 2) << flag << "=" << value;
            EXPECT_THAT(ran.err, StartsWith("stateful-migration-webhook: --" + flag + ": "))
                << value;
            EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
        }
    }
    for (const auto& [given, flag] : std::vector<std::pair<std::string, std::string>>{
             {"--watch-silence=999ms", "--watch-silence: "},
             {"--watch-silence=0", "--watch-silence: "},
             {"--max-staleness=119s", "--max-staleness: "},
             {"--api-lookup-budget=0", "--api-lookup-budget: "},
             {"--api-lookup-budget=30001ms", "--api-lookup-budget: "},
         }) {
        const auto ran = run({"--manifests=x", given});
        EXPECT_EQ(ran.status, 2) << given;
        EXPECT_THAT(ran.err, StartsWith("stateful-migration-webhook: " + flag)) << given;
    }
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
