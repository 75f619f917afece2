#include "smw/client/base64.hpp"

#include <gtest/gtest.h>

namespace smw::client {
namespace {

TEST(DecodeBase64, TakesWhatRfc4648Gives) {
    // RFC 4648 section 10.
    const struct {
        const char* text;
        const char* bytes;
    } cases[] = {{"", ""},
                 {"Zg==", "f"},
                 {"Zm8=", "fo"},
                 {"Zm9v", "foo"},
                 {"Zm9vYg==", "foob"},
                 {"Zm9vYmE=", "fooba"},
                 {"Zm9vYmFy", "foobar"},
                 {"Zm9v\nYmFy\r\n", "foobar"}};
    for (const auto& [text, bytes] : cases) {
        EXPECT_EQ(decode_base64(text), bytes) << text;
    }
    EXPECT_EQ(decode_base64("+/8A"), std::string("\xfb\xff\0", 3));
}

TEST(DecodeBase64, RefusesEverythingElse) {
    for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v Zg==", "Zm9-",
                             "Zm9_", "Zg==Zg==", "Zm=v", "Zm9v!", "Zm\xc3\xa4v"}) {
        EXPECT_FALSE(decode_base64(text)) << text;
    }
}

}  // namespace
}  // namespace smw::client
