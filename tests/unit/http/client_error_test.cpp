#include "http/client_error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>
#include <utility>

namespace smw::http {
namespace {

namespace error = boost::asio::error;
using boost::system::error_code;

error_code of_ssl(int reason) {
    return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, reason)), error::get_ssl_category()};
}

TEST(ClientError, IsAClause) {
    ::OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);  // as whoever makes a context
    const std::pair<error_code, const char*> words[] = {
        {error::connection_refused, "connection refused"},
        {error::connection_reset, "connection reset by peer"},
        {error::timed_out, "connection timed out"},
        {error::eof, "the connection was closed"},
        {boost::asio::ssl::error::stream_truncated, "the connection was cut off"},
        {of_ssl(SSL_R_WRONG_VERSION_NUMBER), "it does not speak TLS (wrong version number)"},
        {of_ssl(SSL_R_UNSUPPORTED_PROTOCOL), "unsupported protocol"},
        {of_ssl(4000), "unknown OpenSSL error"},
    };
    for (const auto& [code, says] : words) {
        EXPECT_EQ(in_words(code), says);
    }
}

TEST(ClientError, SaysWhatWasAttempted) {
    const std::pair<Phase, const char*> attempts[] = {
        {Phase::Connecting, "connecting to [::1]:443: why"},
        {Phase::ShakingHands, "TLS handshake with [::1]:443: why"},
        {Phase::Asking, "asking [::1]:443: why"},
        {Phase::Reading, "reading the answer of [::1]:443: why"},
    };
    for (const auto& [phase, says] : attempts) {
        const auto annotated = annotate({Code::TooLarge, "why"}, phase, "[::1]:443");
        EXPECT_EQ(annotated.value(), (Error{Code::TooLarge, says}));
    }
}

TEST(ClientError, ThatComesTooLateHasItsCode) {
    EXPECT_EQ(past_deadline(), (Error{Code::DeadlineExceeded, "the deadline has passed"}));
}

}  // namespace
}  // namespace smw::http
