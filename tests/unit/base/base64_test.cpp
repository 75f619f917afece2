#include "smw/base/base64.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>
#include <vector>

namespace smw {
namespace {

TEST(Base64, EncodesTheTestVectorsOfRfc4648) {
    EXPECT_EQ(encode_base64(""), "");
    EXPECT_EQ(encode_base64("f"), "Zg==");
    EXPECT_EQ(encode_base64("fo"), "Zm8=");
    EXPECT_EQ(encode_base64("foo"), "Zm9v");
    EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
    EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, UsesTheStandardAlphabet) {
    EXPECT_EQ(encode_base64("\xfb\xef\xbe\xff"), "++++/w==");
}

TEST(Base64, IsReadBackByteForByte) {
    std::string bytes;
    for (int byte = 0; byte < 700; ++byte) {
        bytes += static_cast<char>(byte * 37 % 256);
        EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
    }
}

TEST(Base64, AgreesWithOpenSsl) {
    std::mt19937 random{1};
    for (int length = 0; length < 300; ++length) {
        std::string bytes;
        for (int i = 0; i < length; ++i) {
            bytes += static_cast<char>(random() & 0xff);
        }
        std::vector<unsigned char> expected(bytes.size() * 2 + 4);
        const auto written =
            EVP_EncodeBlock(expected.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                            static_cast<int>(bytes.size()));
        expected.resize(static_cast<std::size_t>(written));
        EXPECT_EQ(encode_base64(bytes), std::string(expected.begin(), expected.end())) << length;
    }
}

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
}  // namespace smw
