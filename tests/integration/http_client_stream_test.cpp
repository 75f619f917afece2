// Answers whose body is read as it comes.

#include "http_client_caller.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::http {
namespace {

using test::Caller;
using test::RawConnection;
using test::RawServer;

constexpr const char* kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(HttpClientStream, EndsWithAnEmptyPiece) {
    const RawServer server{[](RawConnection& connection) {
        connection.read_request();
        connection.send(kChunked);
        connection.send("3\r\none\r\n");
        connection.send("0\r\n\r\n");
        connection.wait_for_end();
    }};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ((*stream)->head().status, 200U);
    EXPECT_EQ(caller.read(**stream), "one");
    EXPECT_EQ(caller.read(**stream), "");
    EXPECT_EQ(caller.read(**stream), "");
}

}  // namespace
}  // namespace smw::http
