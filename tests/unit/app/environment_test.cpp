#include "app/environment.hpp"

#include "unit/app/sample_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReadEnvironment : public testing::Test {
protected:
    std::vector<std::string> errors(EnvironmentVariables environment,
                                    std::vector<std::string> other_names = {}) {
        return configure(options_, {{}, std::move(environment), std::move(other_names)}).errors;
    }

    Sample sample_;
    Options options_ = sample_options(sample_);
};

TEST_F(ReadEnvironment, TakesTheTwinOfEachFlag) {
    EXPECT_THAT(errors({{"SMW_WEBHOOK_PORT", "1"},
                        {"SMW_CERT_DIR", "/c"},
                        {"SMW_LEADER_ELECT", "1"},
                        {"SMW_ENABLE", " a , b "},
                        {"SMW_SHUTDOWN_DELAY", "1m30s"}}),
                IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 1);
    EXPECT_EQ(sample_.cert_dir, "/c");
    EXPECT_TRUE(sample_.leader_elect);
    EXPECT_THAT(sample_.enable, ElementsAre("a", "b"));
    EXPECT_EQ(sample_.shutdown_delay, std::chrono::seconds{90});
}

TEST_F(ReadEnvironment, SaysWhereABadValueCameFrom) {
    EXPECT_THAT(errors({{"SMW_WEBHOOK_PORT", "70000"}}),
                ElementsAre("--webhook-port: \"70000\" must be a number from 0 to 65535 (from "
                            "SMW_WEBHOOK_PORT)"));
}

TEST_F(ReadEnvironment, TakesAnEmptyVariableAsNotSet) {
    EXPECT_THAT(errors({{"SMW_WEBHOOK_PORT", ""}, {"SMW_NONSENSE", ""}}), IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 9443);
}

TEST_F(ReadEnvironment, RefusesUnknownVariables) {
    EXPECT_THAT(errors({{"SMW_WEBHOK_PORT", "1"}, {"SMW_QUITE_ELSE", "1"}, {"SMW_", "1"}}),
                ElementsAre("unknown variable SMW_", "unknown variable SMW_QUITE_ELSE",
                            "unknown variable SMW_WEBHOK_PORT; did you mean SMW_WEBHOOK_PORT?"));
}

TEST_F(ReadEnvironment, PassesOverWhatIsNotOurs) {
    EXPECT_THAT(errors({{"HOME", "/"},
                        {"SMW", "1"},
                        {"SMWX", "1"},
                        {"smw_webhook_port", "x"},
                        {"SMW_E2E_KUBECONFIG", "x"},
                        {"SMW_CACHE_DIR", "x"}}),
                IsEmpty());
}

TEST_F(ReadEnvironment, PassesOverRowsOfOtherSubcommands) {
    EXPECT_THAT(errors({{"SMW_CRONJOB_MATCH", "nonsense"}}, {"cronjob-match"}), IsEmpty());
}

// What kubelet sets for a Service named smw-webhook.
const EnvironmentVariables kServiceLinks{
    {"SMW_WEBHOOK_PORT", "tcp://10.0.0.1:443"},
    {"SMW_WEBHOOK_PORT_443_TCP", "tcp://10.0.0.1:443"},
    {"SMW_WEBHOOK_PORT_443_TCP_ADDR", "10.0.0.1"},
    {"SMW_WEBHOOK_PORT_443_TCP_PORT", "443"},
    {"SMW_WEBHOOK_PORT_443_TCP_PROTO", "tcp"},
    {"SMW_WEBHOOK_SERVICE_HOST", "10.0.0.1"},
    {"SMW_WEBHOOK_SERVICE_PORT", "443"},
    {"SMW_WEBHOOK_SERVICE_PORT_HTTPS", "443"},
};

TEST_F(ReadEnvironment, PassesOverTheVariablesOfAService) {
    EXPECT_THAT(errors(kServiceLinks), IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 9443);
}

TEST_F(ReadEnvironment, TakesAPortThatSomebodySetBesideAService) {
    auto environment = kServiceLinks;
    environment["SMW_WEBHOOK_PORT"] = "8443";
    EXPECT_THAT(errors(environment), IsEmpty());
    EXPECT_EQ(sample_.webhook_port, 8443);
}

TEST_F(ReadEnvironment, RefusesWhatLooksLikeAServiceWithoutOne) {
    auto environment = kServiceLinks;
    environment.erase("SMW_WEBHOOK_SERVICE_HOST");
    EXPECT_EQ(errors(environment).size(), 7U);
}

}  // namespace
}  // namespace smw::app
