#include "smw/app/command_line.hpp"
#include "unit/app/sample_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace smw::app {
namespace {

using testing::HasSubstr;
using testing::Not;

Options two_groups() {
    const Set ignore = [](std::string_view) -> Expected<void> {
        return {};
    };
    return {
        {"webhook-port", "Listeners", "port", "9443", "Port of the listener.", ignore},
        {"leader-elect", "Other", "bool", "false", "Accepted, and without any effect here.",
         ignore},
        {"health-probe-bind-address", "Listeners", "address", ":8081",
         "Where /healthz, /livez, /readyz and /startupz are served; 0 turns it off.", ignore},
        {"output", "Other", "text|json", "", "Shape.", ignore},
    };
}

TEST(DescribeOptions, ListsGroupsInTheOrderOfTheTable) {
    EXPECT_EQ(describe_options(two_groups(), 80),
              "Listeners:\n"
              "  --webhook-port PORT           Port of the listener (default 9443)\n"
              "  --health-probe-bind-address ADDRESS\n"
              "                                Where /healthz, /livez, /readyz and /startupz\n"
              "                                are served; 0 turns it off (default :8081)\n"
              "\n"
              "Other:\n"
              "  --leader-elect                Accepted, and without any effect here\n"
              "  -o, --output text|json        Shape\n");
}

TEST(DescribeOptions, StaysWithinTheColumns) {
    Sample sample;
    for (const std::size_t columns : {60U, 80U, 120U}) {
        std::istringstream lines{describe_options(sample_options(sample), columns)};
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), columns) << line;
        }
    }
}

TEST(DescribeOptions, SaysNothingOfAnEmptyTable) {
    EXPECT_EQ(describe_options({}, 80), "");
    EXPECT_EQ(reference_page({}), "");
}

TEST(ReferencePage, HasATableForEachGroup) {
    EXPECT_EQ(reference_page(two_groups()),
              "### Listeners\n"
              "\n"
              "| flag | environment variable | key | default | meaning |\n"
              "|---|---|---|---|---|\n"
              "| `--webhook-port PORT` | `SMW_WEBHOOK_PORT` | `webhookPort` | `9443` | Port of the "
              "listener. |\n"
              "| `--health-probe-bind-address ADDRESS` | `SMW_HEALTH_PROBE_BIND_ADDRESS` | "
              "`healthProbeBindAddress` | `:8081` | Where /healthz, /livez, /readyz and /startupz "
              "are served; 0 turns it off. |\n"
              "\n"
              "### Other\n"
              "\n"
              "| flag | environment variable | key | default | meaning |\n"
              "|---|---|---|---|---|\n"
              "| `--leader-elect` | `SMW_LEADER_ELECT` | `leaderElect` | `false` | Accepted, and "
              "without any effect here. |\n"
              "| `-o, --output text\\|json` | `SMW_OUTPUT` | `output` | – | Shape. |\n");
}

TEST(ReferencePage, HasNoKeyForTheFileItself) {
    const auto page = reference_page({config_option()});
    EXPECT_THAT(page, HasSubstr("| `--config FILE` | `SMW_CONFIG` | – | – |"));
    EXPECT_THAT(page, Not(HasSubstr("`config`")));
}

}  // namespace
}  // namespace smw::app
