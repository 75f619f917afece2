#include "admission/base64.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>
#include <vector>

namespace smw::admission {
namespace {

TEST(Base64, EncodesTheTestVectorsOfRfc4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, UsesTheStandardAlphabet) {
    EXPECT_EQ(base64("\xfb\xef\xbe\xff"), "++++/w==");
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
        EXPECT_EQ(base64(bytes), std::string(expected.begin(), expected.end())) << length;
    }
}

}  // namespace
}  // namespace smw::admission
