#pragma once
// A client with the loop that it runs on, called from a test's thread.

#include "smw/http/client.hpp"
#include "support/raw_server.hpp"
#include "unit/async/run.hpp"

#include <boost/asio/io_context.hpp>

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

class Caller {
public:
    explicit Caller(http::ClientSettings settings) : client_(std::move(settings)) {}
    explicit Caller(const RawServer& server) : Caller(settings_for(server)) {}

    [[nodiscard]] http::Client& client() { return client_; }
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

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
