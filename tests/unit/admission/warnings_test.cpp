#include "admission/warnings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::admission {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Warnings, KeepTheirOrder) {
    EXPECT_THAT(presentable({"b", "a"}), ElementsAre("b", "a"));
    EXPECT_THAT(presentable({}), IsEmpty());
}

TEST(Warnings, LoseControlCharacters) {
    EXPECT_THAT(presentable({"a\nb\tc\r\x01\x1f\x7f"}), ElementsAre("abc"));
    EXPECT_THAT(presentable({std::string("a\0b", 3)}), ElementsAre("ab"));
    // C1: U+0080, U+0085, U+009F; U+00A0 is none.
    EXPECT_THAT(presentable({"a\u0080\u0085\u009f\u00a0"}), ElementsAre("a\u00a0"));
}

TEST(Warnings, LoseInvalidUtf8) {
    EXPECT_THAT(presentable({"a\xff\xfe"
                             "b"}),
                ElementsAre("ab"));
    EXPECT_THAT(presentable({"a\xc3"}), ElementsAre("a"));                // cut short
    EXPECT_THAT(presentable({"a\xed\xa0\x80!"}), ElementsAre("a!"));      // a surrogate
    EXPECT_THAT(presentable({"a\xc0\x8a!"}), ElementsAre("a!"));          // an overlong newline
    EXPECT_THAT(presentable({"a\xf4\x90\x80\x80!"}), ElementsAre("a!"));  // above U+10FFFF
    EXPECT_THAT(presentable({"gr\u00fc\u00dfe \u4e16 \U0001F600"}),
                ElementsAre("gr\u00fc\u00dfe \u4e16 \U0001F600"));
}

TEST(Warnings, AreCutToTheirMostCharacters) {
    EXPECT_THAT(presentable({std::string(120, 'a')}), ElementsAre(std::string(120, 'a')));
    EXPECT_THAT(presentable({std::string(121, 'a')}), ElementsAre(std::string(120, 'a')));
    // What is removed does not count.
    EXPECT_THAT(presentable({std::string(500, '\n') + std::string(119, 'a') + "\n\xff" + "bc"}),
                ElementsAre(std::string(119, 'a') + "b"));
}

TEST(Warnings, AreCutBetweenCharacters) {
    std::string long_text;
    std::string cut;
    for (int i = 0; i < 130; ++i) {
        long_text += "\U0001F600";
        cut += i < 120 ? "\U0001F600" : "";
    }
    EXPECT_THAT(presentable({long_text}), ElementsAre(cut));
}

TEST(Warnings, ComeOnce) {
    EXPECT_THAT(presentable({"a", "b", "a", "a\n"}), ElementsAre("a", "b"));
    EXPECT_THAT(presentable({std::string(120, 'a') + "1", std::string(120, 'a') + "2"}),
                ElementsAre(std::string(120, 'a')));
}

TEST(Warnings, EmptyOnesAreDropped) {
    EXPECT_THAT(presentable({"", "\n", "\xff", "a"}), ElementsAre("a"));
}

TEST(Warnings, StayWithinTheBudgetOfAll) {
    std::vector<std::string> many;
    for (int i = 0; i < 50; ++i) {
        many.push_back(std::to_string(100 + i) + std::string(200, 'x'));
    }
    const auto kept = presentable(many);
    EXPECT_EQ(kept.size(), kMaxWarnings / kMaxWarning);
    EXPECT_EQ(kept.back().substr(0, 3), "133");
}

}  // namespace
}  // namespace smw::admission
