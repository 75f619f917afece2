#include "smw/app/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <class Target>
void expect_refused(const Set& set, Target& target, std::initializer_list<const char*> texts) {
    const Target before = target;
    for (const auto* text : texts) {
        const auto result = set(text);
        ASSERT_FALSE(result) << text;
        EXPECT_THAT(result.error().message, testing::StartsWith("must ")) << text;
        EXPECT_EQ(target, before) << text;
    }
}

TEST(SetString, TakesAnything) {
    std::string target;
    EXPECT_TRUE(set_string(target)(" x "));
    EXPECT_EQ(target, " x ");
}

TEST(SetBool, TakesTrueAndFalseOnly) {
    bool target = false;
    EXPECT_TRUE(set_bool(target)("true"));
    EXPECT_TRUE(target);
    expect_refused(set_bool(target), target, {"", "yes", "True", "1", " true"});
    EXPECT_TRUE(set_bool(target)("false"));
    EXPECT_FALSE(target);
}

TEST(SetPort, TakesANumberFrom0To65535) {
    std::uint16_t target = 7;
    expect_refused(
        set_port(target), target,
        {"", "65536", "-1", "+1", " 1", "1 ", "0x50", "1.0", "http", "99999999999999999999"});
    EXPECT_TRUE(set_port(target)("0"));
    EXPECT_EQ(target, 0);
    EXPECT_TRUE(set_port(target)("65535"));
    EXPECT_EQ(target, 65535);
}

TEST(SetCount, HasALeastValue) {
    std::size_t target = 7;
    const auto set = set_count(target, 2);
    expect_refused(set, target, {"", "0", "1", "-2", "2.5", "two", "99999999999999999999"});
    EXPECT_THAT(set("1").error().message, HasSubstr("from 2 on"));
    EXPECT_TRUE(set("2"));
    EXPECT_EQ(target, 2U);
}

TEST(SetBytes, TakesBinarySuffixes) {
    std::size_t target = 7;
    expect_refused(set_bytes(target), target,
                   {"", "0", "0Mi", "Mi", "1M", "1K", "1MiKi", "1 Mi", "-1", "1.5Mi",
                    "18446744073709551615Ki", "17179869184Gi"});
    for (const auto& [text, bytes] : std::vector<std::pair<std::string, std::size_t>>{
             {"1", 1},
             {"65536", 65536},
             {"3Ki", 3 << 10},
             {"8Mi", 8 << 20},
             {"2Gi", std::size_t{2} << 30},
             {"17179869183Gi", std::size_t{17179869183U} << 30}}) {
        EXPECT_TRUE(set_bytes(target)(text)) << text;
        EXPECT_EQ(target, bytes) << text;
    }
}

TEST(SetDuration, TakesAGoDurationThatIsNotNegative) {
    std::chrono::steady_clock::duration target = std::chrono::seconds{7};
    expect_refused(set_duration(target), target,
                   {"", "15", "soon", "-1s", "1d", " 1s", "8760h1ns", "2562047h"});
    EXPECT_TRUE(set_duration(target)("8760h"));
    EXPECT_TRUE(set_duration(target)("1m30s"));
    EXPECT_EQ(target, std::chrono::seconds{90});
    EXPECT_TRUE(set_duration(target)("0"));
    EXPECT_EQ(target, std::chrono::seconds{0});
}

TEST(SetList, TakesBlanksOffAndNoEmptyEntries) {
    std::vector<std::string> target{"before"};
    expect_refused(set_list(target), target, {",", "a,", ",a", "a,,b", " ", "a, ,b"});
    EXPECT_TRUE(set_list(target)("a"));
    EXPECT_THAT(target, ElementsAre("a"));
    EXPECT_TRUE(set_list(target)(" a b ,\tc"));
    EXPECT_THAT(target, ElementsAre("a b", "c"));
    EXPECT_TRUE(set_list(target)(""));
    EXPECT_THAT(target, IsEmpty());
}

}  // namespace
}  // namespace smw::app
