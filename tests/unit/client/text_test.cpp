#include "client/text.hpp"

#include <gtest/gtest.h>

namespace smw::client {
namespace {

TEST(Text, IsTrimmedOfBlanksAndLineEnds) {
    EXPECT_EQ(trim(" \r\n a b\t\n"), "a b");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(trim(""), "");
}

TEST(Text, OfAHeaderHasNoControlCharacters) {
    EXPECT_TRUE(is_header_value("system:serviceaccount:a b:\xc3\xa4"));
    EXPECT_TRUE(is_header_value(""));
    for (const char* text : {"a\nb", "a\r", "\x1b[0m", "a\x7f", "a\tb"}) {
        EXPECT_FALSE(is_header_value(text));
    }
    EXPECT_FALSE(is_header_value(std::string_view("a\0b", 3)));
}

TEST(Text, OfATokenIsVisible) {
    EXPECT_TRUE(is_token("eyJhbGciOi.J9-_~+/="));
    for (const char* text : {"", " ", "a b", "a\n", "\xc3\xa4"}) {
        EXPECT_FALSE(is_token(text));
    }
}

TEST(Text, IsCutAndMadePrintableForMessages) {
    EXPECT_EQ(printable("a\x1b[31m \n\xc3\xa4z", 80), "a?[31m ???z");
    EXPECT_EQ(printable("abcdef", 3), "abc");
}

}  // namespace
}  // namespace smw::client
