#include "smw/app/command_line.hpp"

#include "support/folder.hpp"
#include "unit/app/sample_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace smw::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigureTest : public testing::Test {
protected:
    Configured run(std::vector<std::string> arguments, EnvironmentVariables environment = {}) {
        return configure(sample_options(sample_), {std::move(arguments), std::move(environment)});
    }

    Sample sample_;
};

using Configure = ConfigureTest;

TEST_F(Configure, SetsNothingWithoutArguments) {
    const auto configured = run({});
    EXPECT_THAT(configured.errors, IsEmpty());
    EXPECT_THAT(configured.given, IsEmpty());
    EXPECT_THAT(configured.operands, IsEmpty());
    EXPECT_FALSE(configured.help);
    EXPECT_EQ(sample_.webhook_port, 9443);
}

TEST_F(Configure, TakesEveryFormOfAFlag) {
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"--webhook-port", "1"},
             {"--webhook-port=1"},
             {"-webhook-port", "1"},
             {"-webhook-port=1"},
         }) {
        sample_ = {};
        const auto configured = run(arguments);
        EXPECT_THAT(configured.errors, IsEmpty()) << arguments[0];
        EXPECT_THAT(configured.given, ElementsAre("webhook-port")) << arguments[0];
        EXPECT_EQ(sample_.webhook_port, 1) << arguments[0];
    }
}

TEST_F(Configure, TakesABoolWithoutValueAsTrue) {
    const auto configured = run({"--leader-elect", "operand"});
    EXPECT_TRUE(sample_.leader_elect);
    EXPECT_THAT(configured.operands, ElementsAre("operand"));
}

TEST_F(Configure, TakesBoolsAsGoDoes) {
    for (const auto* text : {"true", "1", "t", "T", "TRUE", "True"}) {
        sample_.leader_elect = false;
        EXPECT_THAT(run({std::string{"--leader-elect="} + text}).errors, IsEmpty()) << text;
        EXPECT_TRUE(sample_.leader_elect) << text;
    }
    for (const auto* text : {"false", "0", "f", "F", "FALSE", "False"}) {
        sample_.leader_elect = true;
        EXPECT_THAT(run({std::string{"-leader-elect="} + text}).errors, IsEmpty()) << text;
        EXPECT_FALSE(sample_.leader_elect) << text;
    }
}

TEST_F(Configure, TakesTheLastOfAFlagGivenTwice) {
    EXPECT_THAT(run({"--webhook-port=x", "--webhook-port", "2"}).errors, IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 2);
}

TEST_F(Configure, EndsTheFlagsAtTwoDashes) {
    const auto configured = run({"a", "--webhook-port=1", "--", "--cert-dir", "-h", "--"});
    EXPECT_THAT(configured.errors, IsEmpty());
    EXPECT_THAT(configured.operands, ElementsAre("a", "--cert-dir", "-h", "--"));
    EXPECT_FALSE(configured.help);
}

TEST_F(Configure, TakesASingleDashAsOperand) {
    EXPECT_THAT(run({"-"}).operands, ElementsAre("-"));
    EXPECT_THAT(run({"--cert-dir", "-"}).operands, IsEmpty());
    EXPECT_EQ(sample_.cert_dir, "-");
}

TEST_F(Configure, TakesAnEmptyValue) {
    EXPECT_THAT(run({"--cert-dir="}).errors, IsEmpty());
    EXPECT_EQ(sample_.cert_dir, "");
    sample_.cert_dir = "x";
    EXPECT_THAT(run({"--cert-dir", ""}).errors, IsEmpty());
    EXPECT_EQ(sample_.cert_dir, "");
}

TEST_F(Configure, TakesAValueThatBeginsWithADash) {
    EXPECT_THAT(run({"--cert-dir", "-x"}).errors, IsEmpty());
    EXPECT_EQ(sample_.cert_dir, "-x");
}

TEST_F(Configure, KnowsTheLetterOfOutput) {
    EXPECT_THAT(run({"-o", "json"}).errors, IsEmpty());
    EXPECT_EQ(sample_.output, "json");
    EXPECT_THAT(run({"-o=text"}).errors, IsEmpty());
    EXPECT_EQ(sample_.output, "text");
}

TEST_F(Configure, AsksForHelpAndSetsNothing) {
    for (const auto* help : {"--help", "-h", "-help", "--h"}) {
        const auto configured = run({"--webhook-port=1", help, "--nonsense"}, {{"SMW_NO", "1"}});
        EXPECT_TRUE(configured.help) << help;
        EXPECT_THAT(configured.errors, IsEmpty()) << help;
        EXPECT_THAT(configured.given, IsEmpty()) << help;
        EXPECT_EQ(sample_.webhook_port, 9443) << help;
    }
}

struct BadCase {
    std::vector<std::string> arguments;
    std::string error;
};

TEST_F(Configure, SaysWhatIsWrongWithAFlag) {
    const std::vector<BadCase> cases{
        {{"--webhook-port=70000"},
         "--webhook-port: \"70000\" must be a number from 0 to 65535 (from the command line)"},
        {{"--webhook-port="},
         "--webhook-port: \"\" must be a number from 0 to 65535 (from the command line)"},
        {{"--webhook-port", "a\nb"},
         "--webhook-port: \"a\\nb\" must be a number from 0 to 65535 (from the command line)"},
        {{"--webhook-port"}, "--webhook-port: needs a value (port)"},
        {{"--webhook-port", "--cert-dir=x"}, "--webhook-port: needs a value (port)"},
        {{"--webhook-port", "--"}, "--webhook-port: needs a value (port)"},
        {{"--leader-elect", "false"},
         "--leader-elect: a bool takes its value behind '=': --leader-elect=false"},
        {{"--leader-elect=maybe"},
         "--leader-elect: \"maybe\" must be true or false (from the command line)"},
        {{"--webhok-port=1"}, "unknown flag \"--webhok-port\"; did you mean --webhook-port?"},
        {{"-webhok-port", "1"}, "unknown flag \"--webhok-port\"; did you mean --webhook-port?"},
        {{"--WEBHOOK-PORT=1"}, "unknown flag \"--WEBHOOK-PORT\""},
        {{"-x"}, "unknown flag \"-x\""},
        {{"--=x"}, "unknown flag \"--\""},
        {{"---webhook-port=1"}, "unknown flag \"---webhook-port\"; did you mean --webhook-port?"},
    };
    for (const auto& [arguments, error] : cases) {
        EXPECT_THAT(run(arguments).errors, ElementsAre(error));
    }
}

TEST_F(Configure, CutsLongValuesInErrors) {
    const auto errors = run({"--webhook-port=" + std::string(10000, 'x')}).errors;
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_LT(errors[0].size(), 250U);
    EXPECT_THAT(errors[0], HasSubstr("xxx\"... must be"));
}

TEST_F(Configure, SwallowsTheValueOfAnUnknownFlag) {
    const auto configured = run({"--nonsense", "value", "operand"});
    EXPECT_THAT(configured.operands, ElementsAre("operand"));
    EXPECT_THAT(configured.errors, ElementsAre("unknown flag \"--nonsense\""));
}

TEST_F(Configure, CollectsAllErrors) {
    const auto configured =
        run({"--webhook-port=x", "--nonsense=1"}, {{"SMW_SHUTDOWN_DELAY", "soon"}});
    EXPECT_THAT(configured.errors,
                ElementsAre("unknown flag \"--nonsense\"",
                            "--webhook-port: \"x\" must be a number from 0 to 65535 (from the "
                            "command line)",
                            "--shutdown-delay: \"soon\" must be a duration such as 15s or 1m30s "
                            "(from SMW_SHUTDOWN_DELAY)"));
}

TEST_F(Configure, SetsTheOthersBesideAnError) {
    EXPECT_EQ(run({"--webhook-port=x", "--cert-dir=/c"}).errors.size(), 1U);
    EXPECT_EQ(sample_.cert_dir, "/c");
}

class ConfigFileOnDisk : public ConfigureTest {
protected:
    void write(std::string_view text) const { folder_.write("smw.yaml", text); }

    test::Folder folder_;
    std::filesystem::path file_ = folder_.path() / "smw.yaml";
};

TEST_F(ConfigFileOnDisk, LosesToEnvironmentWhichLosesToFlags) {
    write("webhookPort: 1\ncertDir: /file\nenable: [a, b]\n");
    const auto configured = run({"--config", file_.string(), "--webhook-port=3"},
                                {{"SMW_WEBHOOK_PORT", "2"}, {"SMW_CERT_DIR", "/environment"}});
    EXPECT_THAT(configured.errors, IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 3);
    EXPECT_EQ(sample_.cert_dir, "/environment");
    EXPECT_THAT(sample_.enable, ElementsAre("a", "b"));
    EXPECT_THAT(configured.given, ElementsAre("config", "webhook-port", "cert-dir", "enable"));
}

TEST_F(ConfigFileOnDisk, IsNamedByTheEnvironmentToo) {
    write("webhookPort: 1\n");
    EXPECT_THAT(run({}, {{"SMW_CONFIG", file_.string()}}).errors, IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 1);
}

TEST_F(ConfigFileOnDisk, AnInvalidValueThatIsOverriddenDoesNotCount) {
    write("webhookPort: nonsense\n");
    EXPECT_THAT(run({"--config", file_.string(), "--webhook-port=3"}).errors, IsEmpty());
}

TEST_F(ConfigFileOnDisk, NamesFileAndLineOfABadValue) {
    write("# port\ncertDir: /c\nwebhookPort: 70000\n");
    EXPECT_THAT(run({"--config", file_.string()}).errors,
                ElementsAre("--webhook-port: \"70000\" must be a number from 0 to 65535 (from "
                            "webhookPort in " +
                            file_.string() + ":3)"));
}

TEST_F(ConfigFileOnDisk, MustBeReadable) {
    EXPECT_THAT(run({}, {{"SMW_CONFIG", file_.string()}}).errors,
                ElementsAre("--config: " + file_.string() +
                            ": No such file or directory (from SMW_CONFIG)"));
    EXPECT_THAT(run({"--config", folder_.path().string()}).errors,
                ElementsAre("--config: " + folder_.path().string() +
                            ": is a folder (from the command line)"));
}

TEST_F(ConfigFileOnDisk, IsNotReadWhenItsNameIsEmpty) {
    EXPECT_THAT(run({"--config="}).errors, IsEmpty());
}

TEST_F(ConfigFileOnDisk, IsNotReadByATableWithoutTheRow) {
    write("nonsense: 1\n");
    const Options options{
        {"cert-dir", "Listeners", "folder", "", "Folder.", set_string(sample_.cert_dir)}};
    EXPECT_THAT(configure(options, {{"--config=" + file_.string()}, {}}).errors,
                ElementsAre("unknown flag \"--config\""));
}

}  // namespace
}  // namespace smw::app
