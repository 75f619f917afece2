#include "app/config_file.hpp"

#include "unit/app/sample_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReadConfig : public testing::Test {
protected:
    Reading read(std::string_view text, const std::vector<std::string>& other_names = {}) {
        return read_config_text(options_, other_names, "smw.yaml", text);
    }

    std::string value(std::string_view text, std::string_view name) {
        const auto reading = read(text);
        EXPECT_THAT(reading.errors, IsEmpty()) << text;
        const auto found = reading.values.find(*find_option(options_, name));
        return found == reading.values.end() ? "(none)" : found->second.text;
    }

    Sample sample_;
    Options options_ = sample_options(sample_);
};

TEST_F(ReadConfig, TakesScalarsOfEveryType) {
    EXPECT_EQ(value("webhookPort: 9000", "webhook-port"), "9000");
    EXPECT_EQ(value("webhookPort: \"9000\"", "webhook-port"), "9000");
    EXPECT_EQ(value("{\"webhookPort\": 9000}", "webhook-port"), "9000");
    EXPECT_EQ(value("leaderElect: true", "leader-elect"), "true");
    EXPECT_EQ(value("shutdownDelay: 15s", "shutdown-delay"), "15s");
    EXPECT_EQ(value("certDir: /c d", "cert-dir"), "/c d");
    EXPECT_EQ(value("certDir: \"\"", "cert-dir"), "");
}

TEST_F(ReadConfig, TakesListsAsYamlAndByComma) {
    EXPECT_EQ(value("enable: [a, b]", "enable"), "a,b");
    EXPECT_EQ(value("enable:\n- a\n- b\n", "enable"), "a,b");
    EXPECT_EQ(value("enable: a, b", "enable"), "a, b");
    EXPECT_EQ(value("enable: []", "enable"), "");
}

TEST_F(ReadConfig, TakesNullAsAbsent) {
    EXPECT_EQ(value("webhookPort:", "webhook-port"), "(none)");
    EXPECT_EQ(value("webhookPort: null", "webhook-port"), "(none)");
}

TEST_F(ReadConfig, TakesNothingFromAnEmptyFile) {
    for (const auto* text : {"", "\n", "# nothing\n", "---\n", "{}"}) {
        const auto reading = read(text);
        EXPECT_THAT(reading.errors, IsEmpty()) << text;
        EXPECT_TRUE(reading.values.empty()) << text;
    }
}

TEST_F(ReadConfig, SaysWhereAValueStands) {
    const auto reading = read("# webhookPort: 1\n\n  webhookPort: 2\n");
    ASSERT_EQ(reading.values.size(), 1U);
    EXPECT_EQ(reading.values.begin()->second.origin, "webhookPort in smw.yaml:3");
}

TEST_F(ReadConfig, FindsTheLineOfQuotedAndJsonKeys) {
    for (const auto* text :
         {"\n\"webhookPort\" : 2", "\n'webhookPort': 2", "{\n \"webhookPort\": 2}",
          "\n{webhookPort: 2}", "webhookPortX:\n", "certDir: webhookPort\nwebhookPort: 2"}) {
        for (const auto& [index, given] : read(text).values) {
            if (options_[index].name == "webhook-port") {
                EXPECT_EQ(given.origin, "webhookPort in smw.yaml:2") << text;
            }
        }
    }
}

TEST_F(ReadConfig, LeavesTheLineOutWhenItDoesNotKnow) {
    const auto reading = read("\"webhook\\x50ort\": 2");
    ASSERT_EQ(reading.values.size(), 1U);
    EXPECT_EQ(reading.values.begin()->second.origin, "webhookPort in smw.yaml");
}

struct BadCase {
    std::string text;
    std::string error;
};

TEST_F(ReadConfig, SaysWhatIsWrong) {
    const std::vector<BadCase> cases{
        {"webhokPort: 1", "unknown key \"webhokPort\" in smw.yaml:1; did you mean webhookPort?"},
        {"webhook-port: 1",
         "unknown key \"webhook-port\" in smw.yaml:1; did you mean webhookPort?"},
        {"certDir: /c\nnonsense: {a: 1}\n", "unknown key \"nonsense\" in smw.yaml:2"},
        {"config: other.yaml",
         "--config: cannot be given in the file itself (from config in smw.yaml:1)"},
        {"webhookPort: [1]",
         "--webhook-port: must be a single value, not a list (from webhookPort in smw.yaml:1)"},
        {"webhookPort: {a: 1}",
         "--webhook-port: must be a single value, not a mapping (from webhookPort in smw.yaml:1)"},
        {"enable: {a: 1}",
         "--enable: must be a single value, not a mapping (from enable in smw.yaml:1)"},
        {"enable: [a, [b]]",
         "--enable: must be a list of single values, and has a list in it (from enable in "
         "smw.yaml:1)"},
        {"enable: [a, null]",
         "--enable: must be a list of single values, and has null in it (from enable in "
         "smw.yaml:1)"},
        {"- webhookPort", "--config: smw.yaml: must be a mapping of keys and values, not a list"},
        {"webhookPort", "--config: smw.yaml: must be a mapping of keys and values, not text"},
        {"webhookPort: 1\n---\nwebhookPort: 2\n",
         "--config: smw.yaml: must be one YAML document, not several"},
    };
    for (const auto& [text, error] : cases) {
        EXPECT_THAT(read(text).errors, ElementsAre(error));
    }
}

TEST_F(ReadConfig, NamesTheLineOfWhatIsNoYaml) {
    EXPECT_THAT(read("certDir: /c\nwebhookPort: [1\n").errors,
                ElementsAre(HasSubstr("--config: smw.yaml: line ")));
    EXPECT_THAT(read("certDir: /c\ncertDir: /d\n").errors,
                ElementsAre(HasSubstr("--config: smw.yaml: line 2")));
}

TEST_F(ReadConfig, PassesOverKeysOfOtherSubcommands) {
    const auto reading = read("cronjobMatch: owner\nwebhookPort: 1\n", {"cronjob-match"});
    EXPECT_THAT(reading.errors, IsEmpty());
    EXPECT_EQ(reading.values.size(), 1U);
}

TEST_F(ReadConfig, CollectsAllErrors) {
    EXPECT_EQ(read("a: 1\nwebhookPort: []\nb: 2\n").errors.size(), 3U);
}

}  // namespace
}  // namespace smw::app
