// Answers whose body is read as it comes.

#include "http_client_caller.hpp"
#include "smw/async/task_group.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace smw::http {
namespace {

using test::Caller;
using test::eventually;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;

constexpr const char* kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::chrono::milliseconds kMoment{20};

/// Lets a script go on when its test says so.
class Gate {
public:
    void open() { ++opened_; }
    void pass() {
        ++passed_;
        eventually([this] { return opened_.load() >= passed_.load(); });
    }

private:
    std::atomic<int> opened_{0};
    std::atomic<int> passed_{0};
};

TEST(HttpClientStream, GivesPiecesAsTheyAreSent) {
    Gate gate;
    const RawServer server{[&gate](RawConnection& connection) {
        connection.read_request();
        connection.send(kChunked);
        for (const char* piece : {"3\r\none\r\n", "3;a=b\r\ntwo\r\n5\r\nthree\r\n", "0\r\n\r\n"}) {
            gate.pass();
            connection.send(piece);
        }
        connection.wait_for_end();
    }};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ((*stream)->head().status, 200U);
    gate.open();
    EXPECT_EQ(caller.read(**stream), "one");
    gate.open();
    EXPECT_EQ(caller.read(**stream), "twothree") << "what came together is given together";
    gate.open();
    EXPECT_EQ(caller.read(**stream), "");
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; })) << "closed at the end";
    EXPECT_EQ(caller.read(**stream), "") << "the end stays the end";
}

struct Form {
    const char* what;
    std::string bytes;
};

TEST(HttpClientStream, EndsInGoodOrderInEveryForm) {
    const Form forms[] = {
        {"sized", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        {"until the close", "HTTP/1.1 200 OK\r\n\r\nhello"},
        {"chunked", std::string{kChunked} + "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"},
        {"after 100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello"},
    };
    for (const auto& [what, bytes] : forms) {
        const RawServer server{[&bytes = bytes](RawConnection& connection) {
            connection.read_request();
            for (std::size_t at = 0; at < bytes.size(); ++at) {
                connection.send(std::string_view{bytes}.substr(at, 1));
            }
            connection.close();
        }};
        Caller caller{server};
        const auto stream = caller.open();
        ASSERT_TRUE(stream) << what << ": " << stream.error().message;
        std::string body;
        auto piece = caller.read(**stream);
        while (piece && !piece->empty()) {
            body += *piece;
            piece = caller.read(**stream);
        }
        EXPECT_TRUE(piece) << what << ": " << piece.error().message;
        EXPECT_EQ(body, "hello") << what;
    }
}

TEST(HttpClientStream, OfAnAnswerWithoutABodyEndsAtOnce) {
    const RawServer server{[](RawConnection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 204 No Content\r\n\r\n");
        connection.wait_for_end();
    }};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ((*stream)->head().status, 204U);
    EXPECT_EQ(caller.read(**stream), "");
}

TEST(HttpClientStream, MayBeLargerThanAnAnswerMay) {
    const std::string line(999, 'x');
    constexpr int kLines = 8000;
    const RawServer server{[&line](RawConnection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
        for (int count = 0; count < kLines; ++count) {
            connection.send(line + "\n");
        }
        connection.wait_for_end();
    }};
    auto settings = test::settings_for(server);
    settings.max_body_bytes = 10;
    Caller caller{std::move(settings)};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    std::size_t size = 0;
    auto piece = caller.read(**stream);
    while (piece && !piece->empty()) {
        size += piece->size();
        EXPECT_LE(piece->size(), std::size_t{16} << 10);
        piece = caller.read(**stream);
    }
    EXPECT_TRUE(piece) << piece.error().message;
    EXPECT_EQ(size, 8'000'000U);
}

TEST(HttpClientStream, DoesNotAllocateWhatAServerClaims) {
    const RawServer server{[](RawConnection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello");
        connection.close();
    }};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(caller.read(**stream), "hello");
    const auto cut = caller.read(**stream);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, Code::Unavailable);
}

TEST(HttpClientStream, ThatIsCutOffSaysSo) {
    const Form forms[] = {
        {"sized", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"},
        {"chunked", std::string{kChunked} + "5\r\nhello\r\n"},
        {"in a chunk", std::string{kChunked} + "50\r\nhello"},
    };
    for (const auto& [what, bytes] : forms) {
        for (const auto end : {&RawConnection::close, &RawConnection::reset}) {
            Gate gate;
            const RawServer server{[&gate, &bytes = bytes, end](RawConnection& connection) {
                connection.read_request();
                connection.send(bytes);
                gate.pass();
                (connection.*end)();
                connection.wait_for_end();
            }};
            Caller caller{server};
            const auto stream = caller.open();
            ASSERT_TRUE(stream) << what << ": " << stream.error().message;
            EXPECT_EQ(caller.read(**stream), "hello") << what;
            gate.open();
            for (int again = 0; again < 2; ++again) {
                const auto piece = caller.read(**stream);
                ASSERT_FALSE(piece) << what;
                EXPECT_EQ(piece.error().code, Code::Unavailable) << what;
                EXPECT_THAT(piece.error().message, HasSubstr(": its body was cut off: ")) << what;
            }
        }
    }
}

TEST(HttpClientStream, WithoutALengthMustEndWithACloseNotify) {
    const auto pair = test::make_pair();
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    const RawServer server{[](RawConnection& connection) {
                               connection.read_request();
                               connection.send("HTTP/1.1 200 OK\r\n\r\nhello");
                               connection.cut();
                               connection.wait_for_end();
                           },
                           {.chain_pem = pair.chain_pem, .key_pem = pair.key_pem}};
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    Caller caller{std::move(settings)};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(caller.read(**stream), "hello");
    const auto cut = caller.read(**stream);
    ASSERT_FALSE(cut);
    EXPECT_THAT(cut.error().message, HasSubstr("its body was cut off: the connection was cut off"));
}

TEST(HttpClientStream, ThatBecomesNoHttpSaysSo) {
    const RawServer server{[](RawConnection& connection) {
        connection.read_request();
        connection.send(std::string{kChunked} + "5\r\nhello\r\n");
        connection.send("garbage\r\n");
        connection.wait_for_end();
    }};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    auto piece = caller.read(**stream);
    if (piece == "hello") {
        piece = caller.read(**stream);
    }
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().code, Code::Unavailable);
    EXPECT_THAT(piece.error().message, HasSubstr(": this is no HTTP: "));
}

/// Sends the head and one chunk, and then nothing for as long as the client is there.
void fall_silent(RawConnection& connection) {
    connection.read_request();
    connection.send(std::string{kChunked} + "5\r\nhello\r\n");
    connection.wait_for_end();
}

TEST(HttpClientStream, SilenceEndsAtTheDeadlineAndEndsTheStream) {
    const RawServer server{fall_silent};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(caller.read(**stream), "hello");
    const auto late = caller.read(**stream, Deadline::after(kMoment));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error(), (Error{Code::DeadlineExceeded, "reading the answer of 127.0.0.1:" +
                                                               std::to_string(server.port()) +
                                                               ": the deadline has passed"}));
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; })) << "its connection is closed";
    const auto again = caller.read(**stream);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error(), late.error());
}

TEST(HttpClientStream, GoesOnAfterTheDeadlineOfItsHead) {
    Gate gate;
    const RawServer server{[&gate](RawConnection& connection) {
        connection.read_request();
        connection.send(kChunked);
        gate.pass();
        connection.send("5\r\nhello\r\n");
        connection.wait_for_end();
    }};
    Caller caller{server};
    const auto deadline = Deadline::after(std::chrono::milliseconds{500});
    const auto stream = caller.open({.target = "/"}, deadline);
    ASSERT_TRUE(stream) << stream.error().message;
    ASSERT_TRUE(eventually([&] { return deadline.passed(std::chrono::steady_clock::now()); }));
    gate.open();
    EXPECT_EQ(caller.read(**stream), "hello");
}

TEST(HttpClientStream, ClosesItsConnectionWhenItGoes) {
    const RawServer server{fall_silent};
    Caller caller{server};
    {
        const auto stream = caller.open();
        ASSERT_TRUE(stream) << stream.error().message;
    }
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
}

TEST(HttpClientStream, GoesOnWithoutItsClient) {
    Gate gate;
    const RawServer server{[&gate](RawConnection& connection) {
        connection.read_request();
        connection.send(kChunked);
        gate.pass();
        connection.send("5\r\nhello\r\n0\r\n\r\n");
        connection.wait_for_end();
    }};
    boost::asio::io_context context;
    auto client = std::make_unique<Client>(test::settings_for(server));
    const auto stream = async::run(context, client->open({.target = "/"}, test::patience()));
    ASSERT_TRUE(stream) << stream.error().message;
    client.reset();
    gate.open();
    EXPECT_EQ(async::run(context, (*stream)->read(test::patience())), "hello");
    EXPECT_EQ(async::run(context, (*stream)->read(test::patience())), "");
}

TEST(HttpClientStream, ACancelledReadClosesIt) {
    const RawServer server{fall_silent};
    Caller caller{server};
    const auto stream = caller.open();
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(caller.read(**stream), "hello");
    async::TaskGroup tasks{caller.context().get_executor(), [](std::exception_ptr) {
                               FAIL();
                           }};
    bool given = false;
    const auto read = [&]() -> Task<void> {
        const auto piece = co_await (*stream)->read(test::patience());
        given = piece.has_value();
    };
    tasks.spawn(read());
    caller.context().restart();
    caller.context().poll();
    caller.cancel(tasks);
    EXPECT_FALSE(given);
    EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
    EXPECT_FALSE(caller.read(**stream)) << "nor is it read after that";
}

}  // namespace
}  // namespace smw::http
