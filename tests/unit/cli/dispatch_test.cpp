#include "cli/dispatch.hpp"

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "smw/base/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace smw::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Says what it was run with.
class Fake final : public Command {
public:
    explicit Fake(std::string name, std::string operands = "")
        : name_(std::move(name)), operands_(std::move(operands)) {}

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::string_view operands() const override { return operands_; }
    [[nodiscard]] std::string_view summary() const override { return "Do something"; }
    [[nodiscard]] std::string_view about() const override { return "More about it.\n"; }
    [[nodiscard]] Options options() override {
        return {{name_ + "-port", "Listeners", "port", "9443", "Port.", app::set_port(port_)}};
    }
    [[nodiscard]] int run(const Call& call) override {
        call.console.out << name_ << ' ' << port_;
        for (const auto& operand : call.configured.operands) {
            call.console.out << ' ' << operand;
        }
        return 42;
    }

private:
    std::string name_;
    std::string operands_;
    std::uint16_t port_ = 9443;
};

class Dispatch : public testing::Test {
protected:
    Dispatch() {
        commands_.push_back(std::make_unique<Fake>("serve"));
        commands_.push_back(std::make_unique<Fake>("review", "FILE..."));
        commands_.push_back(make_version());
        commands_.push_back(make_reference());
        commands_.push_back(make_help());
    }

    int run(std::vector<std::string> words, app::EnvironmentVariables environment = {}) {
        out_.str("");
        err_.str("");
        return dispatch({std::move(words), std::move(environment)}, commands_, console_);
    }

    Commands commands_;
    std::istringstream in_;
    std::ostringstream out_;
    std::ostringstream err_;
    Console console_{in_, out_, err_};
};

TEST_F(Dispatch, RunsTheFirstCommandWithoutAName) {
    EXPECT_EQ(run({}), 42);
    EXPECT_EQ(out_.str(), "serve 9443");
    EXPECT_EQ(run({"--serve-port=1"}), 42);
    EXPECT_EQ(out_.str(), "serve 1");
}

TEST_F(Dispatch, RunsTheCommandThatIsNamed) {
    EXPECT_EQ(run({"review", "a", "--review-port=1", "b"}), 42);
    EXPECT_EQ(out_.str(), "review 1 a b");
}

TEST_F(Dispatch, RefusesAnUnknownCommand) {
    EXPECT_EQ(run({"reveiw", "--help"}), 2);
    EXPECT_EQ(err_.str(),
              "stateful-migration-webhook: there is no command \"reveiw\"; did you mean review?\n");
    EXPECT_EQ(run({"\x1b[0m"}), 2);
    EXPECT_EQ(err_.str(), "stateful-migration-webhook: there is no command \"\\u001b[0m\"\n");
    EXPECT_EQ(out_.str(), "");
}

TEST_F(Dispatch, RunsACommandOfTwoWords) {
    commands_.push_back(std::make_unique<Fake>("pairs look", "FILE..."));
    commands_.push_back(std::make_unique<Fake>("pairs make"));
    EXPECT_EQ(run({"pairs", "look", "look"}), 42);
    EXPECT_EQ(out_.str(), "pairs look 9443 look");
    EXPECT_EQ(run({"pairs", "make"}), 42);
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"pairs", "make", "--help"}, {"help", "pairs", "make"}, {"help", "pairs make"}}) {
        EXPECT_EQ(run(words), 0);
        EXPECT_THAT(out_.str(), HasSubstr("Usage: stateful-migration-webhook pairs make [flags]"));
    }
}

TEST_F(Dispatch, SaysWhichCommandsAWordHas) {
    commands_.push_back(std::make_unique<Fake>("pairs look", "FILE..."));
    commands_.push_back(std::make_unique<Fake>("pairs make"));
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"pairs", "--help"}, {"pairs", "-h"}, {"help", "pairs"}}) {
        EXPECT_EQ(run(words), 0);
        EXPECT_THAT(out_.str(), HasSubstr("  pairs look     Do something\n  pairs make "));
    }
    for (const auto& words : std::vector<std::vector<std::string>>{{"pairs"}, {"pairs", "--x"}}) {
        EXPECT_EQ(run(words), 2);
        EXPECT_EQ(err_.str(),
                  "stateful-migration-webhook: pairs needs one of its commands: pairs look, pairs "
                  "make\n");
    }
    EXPECT_EQ(run({"pairs", "lok"}), 2);
    EXPECT_EQ(err_.str(),
              "stateful-migration-webhook: there is no command \"pairs lok\"; did you mean pairs "
              "look?\n");
    EXPECT_EQ(run({"pair"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("there is no command \"pair\""));
}

TEST_F(Dispatch, PrintsAllErrorsALineEach) {
    EXPECT_EQ(run({"serve", "--serve-port=x", "--nonsense", "--", "operand"}), 2);
    EXPECT_EQ(err_.str(),
              "stateful-migration-webhook: unknown flag \"--nonsense\"\n"
              "stateful-migration-webhook: --serve-port: \"x\" must be a number from 0 to 65535 "
              "(from the command line)\n"
              "stateful-migration-webhook: unexpected argument \"operand\"\n");
    EXPECT_EQ(out_.str(), "");
}

TEST_F(Dispatch, LetsOneEnvironmentServeAllCommands) {
    EXPECT_EQ(run({"review", "a"}, {{"SMW_SERVE_PORT", "nonsense"}, {"SMW_REVIEW_PORT", "7"}}), 42);
    EXPECT_EQ(out_.str(), "review 7 a");
    EXPECT_EQ(run({"review"}, {{"SMW_NONSENSE", "1"}}), 2);
}

TEST_F(Dispatch, DoesNotReadTheEnvironmentForACommandWithoutOptions) {
    EXPECT_EQ(run({"version"}, {{"SMW_NONSENSE", "1"}}), 0);
}

TEST_F(Dispatch, PrintsTheVersion) {
    for (const auto* word : {"version", "--version"}) {
        EXPECT_EQ(run({word}), 0);
        EXPECT_EQ(out_.str(), "stateful-migration-webhook " + std::string{version()} + " (" +
                                  std::string{revision()} + ")\n");
    }
    EXPECT_EQ(run({"version", "x"}), 2);
}

TEST_F(Dispatch, HelpsWithEverythingAndWithOne) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"--help"}, {"-h"}, {"help"}, {"--serve-port=x", "--help"}}) {
        EXPECT_EQ(run(words), 0);
        EXPECT_THAT(out_.str(),
                    HasSubstr("\nCommands:\n  serve          Do something (the default)\n"
                              "  review         Do something\n"));
        EXPECT_THAT(out_.str(), HasSubstr("--serve-port PORT"));
        EXPECT_THAT(out_.str(), Not(HasSubstr("--review-port")));
    }
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"help", "review"}, {"review", "--help"}, {"review", "x", "-h"}}) {
        EXPECT_EQ(run(words), 0);
        EXPECT_THAT(out_.str(), StartsWith("Do something.\n\nUsage: stateful-migration-webhook "
                                           "review FILE... [flags]\n\nMore about it.\n\n"));
        EXPECT_THAT(out_.str(), HasSubstr("--review-port PORT"));
    }
    EXPECT_EQ(run({"help", "reveiw"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("did you mean review?"));
}

TEST_F(Dispatch, WritesNoLineOfHelpLongerThanATerminal) {
    for (const auto& words : std::vector<std::vector<std::string>>{{"help"}, {"help", "review"}}) {
        EXPECT_EQ(run(words), 0);
        std::istringstream lines{out_.str()};
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), 80U) << line;
        }
    }
}

TEST_F(Dispatch, PrintsTheReferenceOfAllCommandsWithOptions) {
    EXPECT_EQ(run({"reference"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("# Reference\n"));
    EXPECT_THAT(out_.str(), HasSubstr("| `review FILE...` | Do something |\n"));
    EXPECT_THAT(out_.str(), HasSubstr("\n## serve\n\nMore about it.\n\n### Listeners\n"));
    EXPECT_THAT(out_.str(), HasSubstr("| `--review-port PORT` | `SMW_REVIEW_PORT` |"));
    EXPECT_THAT(out_.str(), Not(HasSubstr("## version")));
}

}  // namespace
}  // namespace smw::cli
