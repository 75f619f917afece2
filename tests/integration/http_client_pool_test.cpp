// Connections: made, kept, used again, and replaced when they are dead.

#include "http_client_caller.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::http {
namespace {

using test::Caller;
using test::RawConnection;
using test::RawServer;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(HttpClientPool, UsesAConnectionAgain) {
    const RawServer server{[](RawConnection& connection) {
        while (!connection.read_request().empty()) {
            connection.send(kAnswer);
        }
    }};
    Caller caller{server};
    for (int count = 0; count < 3; ++count) {
        const auto response = caller.send();
        ASSERT_TRUE(response) << response.error().message;
    }
    EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace smw::http
