#include "smw/app/command_line.hpp"

#include <gtest/gtest.h>

namespace smw::app {
namespace {

TEST(SetAddress, TakesAddressesAndNothingElse) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "0.0.0.0"}, {"::1", "::1"},
        {"[::1]", "::1"},           {"::", "::"},           {"", ""},
    };
    for (const auto& [text, address] : cases) {
        std::string target = "before";
        EXPECT_TRUE(set_address(target)(text)) << text;
        EXPECT_EQ(target, address) << text;
    }
    for (const auto* text : {"localhost", "127.0.0.1:9443", ":9443", "[127.0.0.1]", "[::1", "[]",
                             "256.0.0.1", "1.2.3", " ::1", "0"}) {
        std::string target = "before";
        EXPECT_FALSE(set_address(target)(text)) << text;
        EXPECT_EQ(target, "before") << text;
    }
}

TEST(SetBindAddress, TakesWhatGoListensOn) {
    const std::vector<std::pair<std::string, BindAddress>> cases{
        {":8080", {true, "", 8080}},
        {":0", {true, "", 0}},
        {"127.0.0.1:0", {true, "127.0.0.1", 0}},
        {"0.0.0.0:65535", {true, "0.0.0.0", 65535}},
        {"[::1]:8080", {true, "::1", 8080}},
        {"[::]:8080", {true, "::", 8080}},
        {"0", {false, "", 0}},
        {"", {false, "", 0}},
    };
    for (const auto& [text, address] : cases) {
        BindAddress target{true, "before", 1};
        EXPECT_TRUE(set_bind_address(target)(text)) << text;
        EXPECT_EQ(target, address) << text;
    }
}

TEST(SetBindAddress, RefusesTheRest) {
    const BindAddress before{true, "before", 1};
    for (const auto* text :
         {"8080", ":", ":65536", ":http", "::1:8080", "[::1]", "[::1]8080", "[]:1", "[127.0.0.1]:1",
          "localhost:8080", "1.2.3:80", "256.0.0.1:80", " :8080", "127.0.0.1:", "[::1:8080"}) {
        BindAddress target = before;
        const auto result = set_bind_address(target)(text);
        ASSERT_FALSE(result) << text;
        EXPECT_EQ(target, before) << text;
    }
}

}  // namespace
}  // namespace smw::app
