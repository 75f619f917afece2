// Addresses of one name, tried one after the other.

#include "http/client_connect.hpp"

#include "smw/async/with_deadline.hpp"
#include "unit/async/run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <optional>
#include <vector>

namespace smw::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

const tcp::endpoint kAnyPort{asio::ip::address_v4::loopback(), 0};

/// A listener that drops whoever asks for a connection: its backlog is full (listen(2)).
class BlackHole {
public:
    explicit BlackHole(asio::io_context& context) : acceptor_(context, kAnyPort.protocol()) {
        acceptor_.bind(kAnyPort);
        acceptor_.listen(0);
        for (int count = 0; count < 4; ++count) {
            auto& socket = waiting_.emplace_back(context);
            socket.async_connect(endpoint(), [](const error_code&) {});
        }
    }

    [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

private:
    tcp::acceptor acceptor_;
    std::list<tcp::socket> waiting_;
};

class ConnectToAny : public ::testing::Test {
protected:
    std::optional<Expected<tcp::socket>> connect(std::vector<tcp::endpoint> endpoints,
                                                 Deadline deadline) {
        return async::run(
            context_, async::with_deadline(
                          connect_to_any(std::move(endpoints), seconds{30}, deadline), deadline));
    }
    static tcp::endpoint refusing(asio::io_context& context) {
        const tcp::acceptor closed_at_once{context, kAnyPort};
        return closed_at_once.local_endpoint();
    }

    asio::io_context context_;
    tcp::acceptor good_{context_, kAnyPort};
};

TEST_F(ConnectToAny, LeavesTimeForTheOthersWhenTheFirstIsSilent) {
    const BlackHole first{context_};
    const BlackHole second{context_};
    const auto socket = connect({first.endpoint(), second.endpoint(), good_.local_endpoint()},
                                Deadline::after(seconds{1}));
    ASSERT_TRUE(socket);
    ASSERT_TRUE(*socket) << socket->error().message;
    EXPECT_EQ((*socket)->remote_endpoint(), good_.local_endpoint());
}

TEST_F(ConnectToAny, GoesOnAtOnceWhenTheFirstRefuses) {
    for (const auto deadline : {Deadline::after(async::kPatience), Deadline::never()}) {
        const auto socket = connect({refusing(context_), good_.local_endpoint()}, deadline);
        ASSERT_TRUE(socket);
        ASSERT_TRUE(*socket) << socket->error().message;
        EXPECT_EQ((*socket)->remote_endpoint(), good_.local_endpoint());
    }
}

TEST_F(ConnectToAny, GivesTheLastAllThatIsLeft) {
    const BlackHole silent{context_};
    EXPECT_FALSE(connect({silent.endpoint()}, Deadline::after(milliseconds{50})))
        << "the caller's deadline ends it";
    EXPECT_FALSE(
        connect({refusing(context_), silent.endpoint()}, Deadline::after(milliseconds{50})));
}

TEST_F(ConnectToAny, TellsWhatTheLastSaid) {
    const BlackHole silent{context_};
    const auto socket =
        connect({silent.endpoint(), refusing(context_)}, Deadline::after(milliseconds{500}));
    ASSERT_TRUE(socket);
    ASSERT_FALSE(*socket);
    EXPECT_EQ(socket->error().code, Code::Unavailable);
    EXPECT_THAT(socket->error().message, HasSubstr("connection refused (the last of 2 addresses)"));
}

}  // namespace
}  // namespace smw::http
