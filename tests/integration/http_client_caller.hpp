#pragma once
// A client with the loop that it runs on, called from a test's thread.

#include "smw/async/task_group.hpp"
#include "smw/http/client.hpp"
#include "support/raw_server.hpp"
#include "unit/async/run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace smw::test {

/// Nothing takes longer, unless it hangs.
inline Deadline patience() {
    return Deadline::after(async::kPatience);
}

inline http::ClientSettings settings_for(const RawServer& server) {
    http::ClientSettings settings;
    settings.host = "127.0.0.1";
    settings.port = server.port();
    settings.user_agent = "test/1";
    return settings;
}

/// For a RawServer: this answer, then the end.
inline auto answer_once(std::string answer) {
    return [answer = std::move(answer)](RawConnection& connection) {
        connection.read_request();
        connection.send(answer);
        connection.close();
    };
}

class Caller {
public:
    explicit Caller(http::ClientSettings settings) : client_(std::move(settings)) {}
    explicit Caller(const RawServer& server) : Caller(settings_for(server)) {}

    [[nodiscard]] http::Client& client() { return client_; }
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

    /// For those who await it: g++ 12.2 frees a request made beside a co_await twice.
    Task<Expected<http::ClientResponse>> ask() { return client_.send({.target = "/"}, patience()); }

    /// From within the loop, where its owner calls it: from elsewhere it would come too late for a
    /// task that is just ending.
    void cancel(async::TaskGroup& tasks) {
        boost::asio::post(context_, [&tasks] { tasks.cancel(); });
        EXPECT_TRUE(async::run(context_, tasks.join(patience())));
    }

    Expected<http::ClientResponse> send(http::ClientRequest request = {.target = "/"},
                                        Deadline deadline = patience()) {
        return async::run(context_, client_.send(std::move(request), deadline));
    }
    Expected<std::unique_ptr<http::ClientStream>> open(
        http::ClientRequest request = {.target = "/"}, Deadline deadline = patience()) {
        return async::run(context_, client_.open(std::move(request), deadline));
    }
    Expected<std::string> read(http::ClientStream& stream, Deadline deadline = patience()) {
        return async::run(context_, stream.read(deadline));
    }

private:
    boost::asio::io_context context_;
    http::Client client_;
};

}  // namespace smw::test
