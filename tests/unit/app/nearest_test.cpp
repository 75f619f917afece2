#include "smw/app/nearest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace smw::app {
namespace {

TEST(Nearest, FindsWhatWasMeant) {
    const std::vector<std::string> names{"serve", "review", "version", "webhook-port", "threads"};
    const std::vector<std::pair<std::string, std::string>> cases{
        {"reveiw", "review"},
        {"serv", "serve"},
        {"servee", "serve"},
        {"sevre", "serve"},
        {"webook-prt", "webhook-port"},
        {"thread", "threads"},
        {"review", "review"},
        {"", ""},
        {"x", ""},
        {"sv", ""},
        {"doctor", ""},
        {"versatile", ""},
    };
    for (const auto& [word, meant] : cases) {
        EXPECT_EQ(nearest(word, names), meant) << word;
    }
}

TEST(Nearest, TakesTheFewestEditsAndThenTheFirst) {
    const std::vector<std::string> names{"abcx", "abcd", "abdc"};
    EXPECT_EQ(nearest("abcd", names), "abcd");
    EXPECT_EQ(nearest("abcy", names), "abcx");
}

TEST(Nearest, HasNothingToSayWithoutCandidates) {
    EXPECT_EQ(nearest("serve", {}), "");
    EXPECT_EQ(did_you_mean("serve", {}), "");
}

TEST(DidYouMean, PutsThePrefixBefore) {
    const std::vector<std::string> names{"threads"};
    EXPECT_EQ(did_you_mean("thread", names, "--"), "; did you mean --threads?");
    EXPECT_EQ(did_you_mean("nonsense", names, "--"), "");
}

}  // namespace
}  // namespace smw::app
