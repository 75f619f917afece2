#include "smw/base/quote.hpp"

#include <gtest/gtest.h>

#include <string>

namespace smw {
namespace {

TEST(Utf8, KnowsTheLengthOfWellFormedSequences) {
    const struct {
        const char* text;
        std::size_t length;
    } cases[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xC2\x80", 2},
        {"\xDF\xBFz", 2},
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xEE\x80\x80", 3},
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBFz", 4},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(utf8_sequence_length(c.text), c.length) << c.text;
    }
    EXPECT_EQ(utf8_sequence_length(std::string_view("\0", 1)), 1U);
}

TEST(Utf8, RefusesWhatIsIllFormed) {
    for (const char* text :
         {"", "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xE2\x82",
          "\xE2\x82z", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
        EXPECT_EQ(utf8_sequence_length(text), 0U);
    }
}

TEST(AppendQuoted, EscapesWhatTerminalsAndLineReadersActOn) {
    const struct {
        const char* text;
        const char* quoted;
    } cases[] = {
        {"\x1b[31m", R"("\u001b[31m")"},
        {"\x7f", R"("\u007f")"},
        {"\xC2\x80\xC2\x85\xC2\x9B\xC2\x9F", R"("\u0080\u0085\u009b\u009f")"},
        {"\xC2\xA0", "\"\xC2\xA0\""},
        {"\xE2\x80\xA8\xE2\x80\xA9", R"("\u2028\u2029")"},
        {"\xE2\x80\xA7\xE2\x80\xAA", "\"\xE2\x80\xA7\xE2\x80\xAA\""},
    };
    for (const auto& c : cases) {
        std::string out;
        append_quoted(out, c.text);
        EXPECT_EQ(out, c.quoted);
    }
}

TEST(AppendQuoted, AppendsToWhatIsThere) {
    std::string out = "a: ";
    append_quoted(out, "b");
    EXPECT_EQ(out, "a: \"b\"");
}

}  // namespace
}  // namespace smw
