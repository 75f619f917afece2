#include "cert_rotation/base64.hpp"

#include "smw/client/base64.hpp"

#include <gtest/gtest.h>

namespace smw::cert_rotation {
namespace {

// RFC 4648 section 10.
TEST(EncodeBase64, PadsAsTheRfcDoes) {
    EXPECT_EQ(encode_base64(""), "");
    EXPECT_EQ(encode_base64("f"), "Zg==");
    EXPECT_EQ(encode_base64("fo"), "Zm8=");
    EXPECT_EQ(encode_base64("foo"), "Zm9v");
    EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
    EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
}

TEST(EncodeBase64, IsReadBackByteForByte) {
    std::string bytes;
    for (int byte = 0; byte < 700; ++byte) {
        bytes += static_cast<char>(byte * 37 % 256);
        EXPECT_EQ(client::decode_base64(encode_base64(bytes)), bytes);
    }
}

}  // namespace
}  // namespace smw::cert_rotation
