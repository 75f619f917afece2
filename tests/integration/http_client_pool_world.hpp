#pragma once
// A server that answers "ok", and those who ask it.

#include "http_client_caller.hpp"
#include "smw/async/task_group.hpp"

namespace smw::http {

inline constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

inline void answer_all(test::RawConnection& connection) {
    while (!connection.read_request().empty()) {
        connection.send(kAnswer);
    }
}

inline void expect_ok(const Expected<ClientResponse>& response) {
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
}

inline Task<void> ask(test::Caller& caller) {
    const auto response = co_await caller.ask();
    expect_ok(response);
}

/// `count` requests at once, each on a connection of its own.
inline void ask_at_once(test::Caller& caller, int count) {
    async::TaskGroup tasks{caller.context().get_executor(), [](std::exception_ptr) {
                               FAIL();
                           }};
    for (int index = 0; index < count; ++index) {
        tasks.spawn(ask(caller));
    }
    EXPECT_TRUE(async::run(caller.context(), tasks.join(test::patience())));
}

}  // namespace smw::http
