// Answers that break off, do not end, lie about themselves, or are none.

#include "http_client_caller.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace smw::http {
namespace {

using test::answer_once;
using test::Caller;
using test::RawConnection;
using test::RawServer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct BadAnswer {
    std::string bytes;
    Code code;
    const char* says;
};

std::string with_headers(std::string_view headers, std::string_view body) {
    return "HTTP/1.1 200 OK\r\n" + std::string{headers} + "\r\n" + std::string{body};
}

std::vector<BadAnswer> bad_answers() {
    constexpr const char* kNoHttp = ": this is no HTTP: ";
    constexpr const char* kChunked = "Transfer-Encoding: chunked\r\n";
    constexpr Code kUnavailable = Code::Unavailable;
    return {
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", kUnavailable, "this is no HTTP: bad version"},
        {"HTTP/2 200 OK\r\n\r\n", kUnavailable, "this is no HTTP: bad version"},
        {"HTTP/1.1 2000 OK\r\n\r\n", kUnavailable, "this is no HTTP: bad status"},
        {"220 ready to take mail\r\n", kUnavailable, kNoHttp},
        {"<html><body>hello</body></html>\r\n", kUnavailable, kNoHttp},
        {with_headers("no colon\r\n", ""), kUnavailable, kNoHttp},
        {with_headers("A: b\x01\r\n", ""), kUnavailable, kNoHttp},
        {with_headers("Content-Length: -1\r\n", ""), kUnavailable, kNoHttp},
        {with_headers("Content-Length: 5 5\r\n", "hello"), kUnavailable, kNoHttp},
        {with_headers("Content-Length: 99999999999999999999\r\n", ""), kUnavailable, kNoHttp},
        {with_headers("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), kUnavailable,
         kNoHttp},
        {with_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
         kUnavailable, kNoHttp},
        {with_headers("Transfer-Encoding: gzip\r\n", "hello"), kUnavailable,
         "it comes in the transfer coding \"gzip\""},
        {with_headers("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), kUnavailable,
         "it comes in the transfer coding \"gzip, chunked\""},
        {with_headers("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x"), kUnavailable,
         "it comes in the content coding \"gzip\""},
        {with_headers(kChunked, "hello\r\n0\r\n\r\n"), kUnavailable, kNoHttp},
        {with_headers(kChunked, "5\r\nhelloX\r\n0\r\n\r\n"), kUnavailable, kNoHttp},
        {with_headers(kChunked, "-5\r\nhello\r\n0\r\n\r\n"), kUnavailable, kNoHttp},
        {with_headers(kChunked, "FFFFFFFFFFFFFFFFF\r\nhello\r\n"), kUnavailable, kNoHttp},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", kUnavailable,
         "it switches to another protocol, unasked"},
        {"HTTP/1.1 100 Continue\r\n\r\n", kUnavailable, "its head was cut off"},
        {"", kUnavailable, "no answer came: the connection was closed"},
        {with_headers("Content-Length: 101\r\n", ""), Code::TooLarge,
         "its body is larger than 100 bytes"},
        {with_headers("Content-Length: 18446744073709551615\r\n", ""), Code::TooLarge,
         "its body is larger than 100 bytes"},
        {with_headers(kChunked, "65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n"), Code::TooLarge,
         "its body is larger than 100 bytes"},
        {with_headers(kChunked, "FFFFFFFFFFFFFFFF\r\n" + std::string(101, 'x')), Code::TooLarge,
         "its body is larger than 100 bytes"},
        {with_headers("", std::string(101, 'x')), Code::TooLarge,
         "its body is larger than 100 bytes"},
        {with_headers("X-Long: " + std::string(1000, 'x') + "\r\n", ""), Code::TooLarge,
         "its head is longer than 1000 bytes"},
        {with_headers("Content-Length: 0\r\nX-Long: " + std::string(980, 'x'), ""), Code::TooLarge,
         "its head is longer than 1000 bytes"},
    };
}

/// For small bodies and heads.
Caller narrow_caller(const RawServer& server) {
    auto settings = test::settings_for(server);
    settings.max_body_bytes = 100;
    settings.max_head_bytes = 1000;
    return Caller{std::move(settings)};
}

TEST(HttpClientBadAnswers, AreSaidToBeBad) {
    for (const auto& [bytes, code, says] : bad_answers()) {
        const RawServer server{answer_once(bytes)};
        const auto response = narrow_caller(server).send();
        ASSERT_FALSE(response) << bytes;
        EXPECT_EQ(response.error().code, code) << bytes << response.error().message;
        EXPECT_THAT(response.error().message, HasSubstr(says)) << bytes;
        EXPECT_THAT(response.error().message,
                    HasSubstr(" 127.0.0.1:" + std::to_string(server.port()) + ": "))
            << bytes;
    }
}

TEST(HttpClientBadAnswers, MayFillTheirBoundsToTheLastByte) {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Long: ";
    const std::string filled = head + std::string(1000 - head.size() - 4, 'x') + "\r\n\r\n";
    for (const auto& bytes :
         {filled + std::string(100, 'b'), with_headers("", std::string(100, 'b'))}) {
        const RawServer server{answer_once(bytes)};
        const auto response = narrow_caller(server).send();
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body, std::string(100, 'b'));
    }
}

struct Endless {
    const char* what;
    std::string begin;
    std::string again;
    Code code;
    const char* says;
};

TEST(HttpClientBadAnswers, ThatDoNotEndAreBounded) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string block(1000, 'x');
    const Endless endless[] = {
        {"start line", "HTTP/1.1 200 ", block, Code::TooLarge, "its head is longer than "},
        {"header", ok + "X-Long: ", block, Code::TooLarge, "its head is longer than "},
        {"headers", ok, "X-Short: x\r\n", Code::TooLarge, "its head is longer than "},
        {"interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n", Code::TooLarge,
         "its head is longer than "},
        {"body", ok + "\r\n", block, Code::TooLarge, "its body is larger than "},
        {"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", Code::TooLarge,
         "its body is larger than "},
        {"chunk extension", ok + "Transfer-Encoding: chunked\r\n\r\n5;x=", block, Code::Unavailable,
         "the head of a chunk does not end"},
        {"trailer", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-Sum: 1\r\n",
         Code::Unavailable, "the head of a chunk does not end"},
    };
    for (const auto& [what, begin, again, code, says] : endless) {
        const RawServer server{[&begin = begin, &again = again](RawConnection& connection) {
            connection.read_request();
            bool taken = connection.send(begin);
            while (taken) {
                taken = connection.send(again);
            }
        }};
        auto settings = test::settings_for(server);
        settings.max_body_bytes = 100'000;
        const auto response = Caller{std::move(settings)}.send();
        ASSERT_FALSE(response) << what;
        EXPECT_EQ(response.error().code, code) << what << ": " << response.error().message;
        EXPECT_THAT(response.error().message, HasSubstr(says)) << what;
    }
}

/// Whole only when complete: framed by a length or by chunks.
const std::vector<std::string>& framed_answers() {
    static const std::vector<std::string> answers{
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };
    return answers;
}

struct Cut {
    const char* what;
    void (RawConnection::*end)();
    bool over_tls;
};

constexpr Cut kCuts[] = {
    {"FIN", &RawConnection::cut, false},
    {"RST", &RawConnection::reset, false},
    {"close_notify", &RawConnection::close, true},
    {"FIN without close_notify", &RawConnection::cut, true},
};

TEST(HttpClientBadAnswers, AreNotWholeWhereverTheyAreCut) {
    const auto pair = test::make_pair();
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    for (const auto& [what, end, over_tls] : kCuts) {
        for (const auto& answer : framed_answers()) {
            std::size_t length = 0;
            const auto script = [&length, &answer, end = end](RawConnection& connection) {
                connection.read_request();
                connection.send(std::string_view{answer}.substr(0, length));
                (connection.*end)();
            };
            for (; length < answer.size(); ++length) {
                test::RawServerSettings server_settings;
                if (over_tls) {
                    server_settings.chain_pem = pair.chain_pem;
                    server_settings.key_pem = pair.key_pem;
                }
                const RawServer server{script, std::move(server_settings)};
                auto settings = test::settings_for(server);
                settings.tls = over_tls ? &contexts : nullptr;
                const auto response = Caller{std::move(settings)}.send();
                ASSERT_FALSE(response) << what << " after " << answer.substr(0, length);
                EXPECT_EQ(response.error().code, Code::Unavailable)
                    << what << " after " << length << ": " << response.error().message;
                EXPECT_EQ(server.connections(), 1) << "asked again";
            }
        }
    }
}

/// Flips, drops, doubles and inserts a few bytes.
std::string damage(std::string bytes, std::mt19937& random) {
    constexpr std::string_view kInserted = "\r\n:;, 0F\0\xff";
    const int wounds = 1 + static_cast<int>(random() % 3);
    for (int wound = 0; wound < wounds; ++wound) {
        const std::size_t at = random() % bytes.size();
        switch (random() % 4) {
            case 0:
                bytes[at] = static_cast<char>(random() % 256);
                break;
            case 1:
                bytes.erase(at, 1 + random() % 4);
                break;
            case 2:
                bytes.insert(at, bytes.substr(at, 1 + random() % 8));
                break;
            default:
                bytes.insert(at, 1, kInserted[random() % kInserted.size()]);
                break;
        }
    }
    return bytes;
}

TEST(HttpClientBadAnswers, HoweverDamagedGiveAnAnswerOrAnError) {
    std::mt19937 random{20261121};
    std::vector<std::string> sent;
    for (int count = 0; count < 1000; ++count) {
        sent.push_back(damage(framed_answers()[random() % framed_answers().size()], random));
    }
    // Each in two writes, so that the parser is resumed at any byte.
    const RawServer server{[&sent](RawConnection& connection) {
        connection.read_request();
        const std::string_view bytes = sent[static_cast<std::size_t>(connection.number())];
        const std::size_t half = static_cast<std::size_t>(connection.number()) % bytes.size();
        connection.send(bytes.substr(0, half));
        connection.send(bytes.substr(half));
        connection.close();
    }};
    auto settings = test::settings_for(server);
    settings.max_idle_connections = 0;
    Caller caller{std::move(settings)};
    for (const auto& bytes : sent) {
        const auto response = caller.send();
        if (!response) {
            EXPECT_THAT(response.error().code, testing::AnyOf(Code::Unavailable, Code::TooLarge))
                << bytes << response.error().message;
        }
    }
    EXPECT_EQ(server.connections(), 1000);
}

TEST(HttpClientBadAnswers, WithoutALengthAreWholeOnlyAfterACloseNotify) {
    const auto pair = test::make_pair();
    async::Snapshot<tls::ClientContext> contexts;
    contexts.publish(*tls::ClientContext::make({.ca_pem = pair.chain_pem}));
    for (const bool notified : {false, true}) {
        const RawServer server{[notified](RawConnection& connection) {
                                   connection.read_request();
                                   connection.send("HTTP/1.1 200 OK\r\n\r\nhello");
                                   notified ? connection.close() : connection.cut();
                               },
                               {.chain_pem = pair.chain_pem, .key_pem = pair.key_pem}};
        auto settings = test::settings_for(server);
        settings.tls = &contexts;
        const auto response = Caller{std::move(settings)}.send();
        EXPECT_EQ(response.has_value(), notified);
        if (!response) {
            EXPECT_THAT(response.error().message,
                        EndsWith("its body was cut off: the connection was cut off"));
        }
    }
}

}  // namespace
}  // namespace smw::http
