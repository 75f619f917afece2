// Raw request text against the real connection: what is answered, and whether the connection goes
// on. RFC 9112; specs: the HTTP surface.

#include "support/eventually.hpp"
#include "support/http_server.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace smw::test {
namespace {

enum class Fate { Open, Closed };

struct Expected {
    unsigned status = 200;
    std::string contains;  ///< in the body
};

struct Case {
    std::string name;
    std::string sent;
    std::vector<Expected> answers;
    Fate fate = Fate::Open;
    bool head = false;  ///< the answer has no body
};

void PrintTo(const Case& given, std::ostream* out) {
    *out << given.sent.substr(0, 200);
}

std::string with_headers(const std::string& headers, const std::string& body = "") {
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
}

std::string chunked(const std::string& body) {
    return with_headers("Transfer-Encoding: chunked\r\n", body);
}

std::string line_of(std::size_t size) {
    return "X-Fill: " + std::string(size - 10, 'f') + "\r\n";
}

class RawRequest : public testing::TestWithParam<Case> {};

TEST_P(RawRequest, IsAnsweredAndTheConnectionEndsOrGoesOn) {
    const Case& given = GetParam();
    HttpServer server{{.tls = false}};
    Client client = server.connect();
    ASSERT_TRUE(client.ready()) << client.failure();
    ASSERT_TRUE(client.send(given.sent));
    for (const auto& expected : given.answers) {
        const auto answer = client.read_answer(given.head);
        ASSERT_TRUE(answer) << "no answer";
        EXPECT_EQ(answer->status, expected.status) << answer->body;
        EXPECT_EQ(answer->version, "HTTP/1.1");
        EXPECT_THAT(answer->body, testing::HasSubstr(expected.contains));
        EXPECT_EQ(answer->header("date").size(), 29U);
        if (expected.status != 200 && !given.head) {
            const auto status = nlohmann::json::parse(answer->body);
            EXPECT_EQ(status.at("kind"), "Status");
            EXPECT_EQ(status.at("apiVersion"), "v1");
            EXPECT_EQ(status.at("status"), "Failure");
            EXPECT_EQ(status.at("code"), expected.status);
            EXPECT_NE(status.at("message"), "");
            EXPECT_EQ(answer->header("content-type"), "application/json");
        }
        if (given.fate == Fate::Closed && &expected == &given.answers.back()) {
            EXPECT_EQ(answer->header("connection"), "close");
        }
    }
    if (given.fate == Fate::Open) {
        ASSERT_TRUE(client.send(get("/echo?next")));
        const auto next = client.read_answer();
        ASSERT_TRUE(next) << "the connection was closed";
        EXPECT_EQ(next->body, "GET /echo?next\n");
    } else {
        EXPECT_EQ(client.read_all(), "");
        EXPECT_EQ(client.end(), End::Orderly);
    }
    EXPECT_EQ(server.listener().bytes_in_flight(), 0U);
    EXPECT_EQ(server.log().count(log::Level::Error), 0U) << server.log().text();
}

std::string name_of(const testing::TestParamInfo<Case>& given) {
    return given.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Persistence, RawRequest,
    testing::Values(
        Case{"KeepsAliveByDefault", get("/echo"), {{200, "GET /echo?\n"}}},
        Case{"AnswersPipelinedRequestsInOrder",
             get("/echo?1") + post("/echo?2", "two") + get("/echo?3"),
             {{200, "?1\n"}, {200, "?2\ntwo"}, {200, "?3\n"}}},
        Case{"ClosesWhenAsked",
             "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
             {{200, "GET"}},
             Fate::Closed},
        Case{"ClosesWhenAskedAmongOtherOptions",
             "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: te, CLOSE\r\n\r\n",
             {{200, "GET"}},
             Fate::Closed},
        Case{"ClosesWhenTheSecondConnectionHeaderAsks",
             "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: te\r\nConnection: close\r\n\r\n",
             {{200, "GET"}},
             Fate::Closed},
        Case{"ClosesAfterHttp10", "GET /echo HTTP/1.0\r\n\r\n", {{200, "GET"}}, Fate::Closed},
        Case{"KeepsHttp10AliveWhenAsked",
             "GET /echo HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
             {{200, "GET"}}},
        Case{"ReadsAnHttp10Body",
             "POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
             {{200, "\nabc"}},
             Fate::Closed},
        Case{"AnswersHeadWithoutBody",
             "HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n",
             {{200, ""}},
             Fate::Open,
             true},
        Case{"RefusesLongHeadsOfHeadRequestsWithoutHanging",
             "HEAD /echo HTTP/1.1\r\nContent-Length: x\r\n\r\n",
             {{400, ""}},
             Fate::Closed}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Targets, RawRequest,
    testing::Values(
        Case{"TakesAbsoluteForm",
             "GET https://webhook.svc:443/echo?x=y HTTP/1.1\r\nHost: a\r\n\r\n",
             {{200, "GET /echo?x=y\n"}}},
        Case{"DoesNotNormalisePaths",
             get("/echo/../echo//%65cho"),
             {{200, "GET /echo/../echo//%65cho?\n"}}},
        Case{"KeepsTheQueryWhole", get("/echo?a=1&b=%20?c"), {{200, "GET /echo?a=1&b=%20?c\n"}}},
        Case{"TakesAsteriskForm", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {{200, "OPTIONS *?\n"}}},
        Case{"TakesUnknownMethods",
             "BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n",
             {{200, "BREW /echo?\n"}}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Bodies, RawRequest,
    testing::Values(
        Case{"ReadsByContentLength", post("/echo", "hello"), {{200, "\nhello"}}},
        Case{"TakesContentLengthZero", post("/echo", ""), {{200, "POST /echo?\n"}}},
        Case{"TakesAPostWithoutLengthAsEmpty", with_headers(""), {{200, "POST /echo?\n"}}},
        Case{"ReadsChunks", chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), {{200, "\nabcde"}}},
        Case{"ReadsNoChunks", chunked("0\r\n\r\n"), {{200, "POST /echo?\n"}}},
        Case{"IgnoresChunkExtensions",
             chunked("3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n"),
             {{200, "\nabc"}}},
        Case{"IgnoresTrailers",
             chunked("3\r\nabc\r\n0\r\nX-Checksum: 1\r\nX-Two: 2\r\n\r\n"),
             {{200, "\nabc"}}},
        Case{"ReadsChunkSizesInEitherCase",
             chunked("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"),
             {{200, "\n01234567890123456789a"}}},
        Case{"TakesTheCodingInAnyCase",
             with_headers("Transfer-Encoding: CHUNKED\r\n", "1\r\nx\r\n0\r\n\r\n"),
             {{200, "\nx"}}},
        Case{"ContinuesInTheMiddleOfAPipeline",
             get("/echo?1") + with_headers("Content-Length: 2\r\nExpect: 100-continue\r\n", "ab") +
                 get("/echo?3"),
             {{200, "?1"}, {200, "\nab"}, {200, "?3"}}},
        Case{"IgnoresExpectOfHttp10",
             "POST /echo HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
             {{200, "\nx"}},
             Fate::Closed},
        Case{"ClosesWhenTheBodyWasNotAskedFor", post("/ignore", "abc"), {{200, ""}}, Fate::Closed},
        Case{"GoesOnWhenThereWasNoBodyToAskFor", get("/ignore"), {{200, ""}}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesFraming, RawRequest,
    testing::Values(
        Case{"LengthAndCoding",
             with_headers("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
             {{400, ""}},
             Fate::Closed},
        Case{"CodingAndLength",
             with_headers("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"),
             {{400, ""}},
             Fate::Closed},
        Case{"TwoEqualLengths",
             with_headers("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
             {{400, ""}},
             Fate::Closed},
        Case{"TwoLengths",
             with_headers("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"),
             {{400, ""}},
             Fate::Closed},
        Case{"ListOfLengths",
             with_headers("Content-Length: 3, 3\r\n", "abc"),
             {{400, ""}},
             Fate::Closed},
        Case{"LengthWithPlus",
             with_headers("Content-Length: +3\r\n", "abc"),
             {{400, ""}},
             Fate::Closed},
        Case{"NegativeLength",
             with_headers("Content-Length: -3\r\n", "abc"),
             {{400, ""}},
             Fate::Closed},
        Case{"HexadecimalLength",
             with_headers("Content-Length: 0x3\r\n", "abc"),
             {{400, ""}},
             Fate::Closed},
        Case{"EmptyLength", with_headers("Content-Length: \r\n", "abc"), {{400, ""}}, Fate::Closed},
        Case{"LengthOverAllNumbers",
             with_headers("Content-Length: 18446744073709551616\r\n", "abc"),
             {{400, ""}},
             Fate::Closed},
        Case{"Gzip", with_headers("Transfer-Encoding: gzip\r\n"), {{501, "chunked"}}, Fate::Closed},
        Case{"GzipThenChunked",
             with_headers("Transfer-Encoding: gzip, chunked\r\n"),
             {{501, "chunked"}},
             Fate::Closed},
        Case{"ChunkedTwice",
             with_headers("Transfer-Encoding: chunked, chunked\r\n"),
             {{501, "chunked"}},
             Fate::Closed},
        Case{"ChunkedInTwoHeaders",
             with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
             {{400, ""}},
             Fate::Closed},
        Case{"IdentityThenChunkedInTwoHeaders",
             with_headers("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
             {{501, "chunked"}},
             Fate::Closed},
        Case{"CodingOfHttp10",
             "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"ChunkSizeThatIsNone", chunked("x\r\nabc\r\n"), {{400, ""}}, Fate::Closed},
        Case{"ChunkSizeWithSign", chunked("+3\r\nabc\r\n0\r\n\r\n"), {{400, ""}}, Fate::Closed},
        Case{"ChunkSizeOverAllNumbers",
             chunked("fffffffffffffffff\r\nabc\r\n"),
             {{400, ""}},
             Fate::Closed},
        Case{"ChunkLongerThanItSays", chunked("2\r\nabc\r\n0\r\n\r\n"), {{400, ""}}, Fate::Closed},
        Case{"ChunkLineWithoutCarriageReturn",
             chunked("3\nabc\r\n0\r\n\r\n"),
             {{400, ""}},
             Fate::Closed},
        Case{"EndlessChunkExtension",
             chunked("3;" + std::string(40000, 'e')),
             {{400, ""}},
             Fate::Closed},
        Case{"EndlessTrailers",
             chunked("0\r\n" + line_of(20000) + line_of(20000)),
             {{400, ""}},
             Fate::Closed},
        Case{"LengthInTrailers",
             chunked("0\r\nContent-Length: 3\r\n\r\n"),
             {{400, ""}},
             Fate::Closed}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RefusesHeads, RawRequest,
    testing::Values(
        Case{"WithoutHost", "GET /echo HTTP/1.1\r\n\r\n", {{400, "Host"}}, Fate::Closed},
        Case{"WithTwoHosts",
             "GET /echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
             {{400, "Host"}},
             Fate::Closed},
        Case{"WithBareLineFeeds", "GET /echo HTTP/1.1\nHost: a\n\n", {{400, ""}}, Fate::Closed},
        Case{"WithABareLineFeedAfterAHeader",
             "GET /echo HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"WithBlanksBeforeTheColon",
             "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc",
             {{400, ""}},
             Fate::Closed},
        Case{"WithAnEmptyHeaderName",
             "GET /echo HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"WithNulInAHeader",
             "GET /echo HTTP/1.1\r\nHost: a\r\nX: a" + std::string(1, '\0') + "b\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"WithACarriageReturnInAHeader",
             "GET /echo HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"WithFoldedHeaders",
             "GET /echo HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"WithAFoldedFirstHeader",
             "GET /echo HTTP/1.1\r\n Host: a\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"WithAnotherVersion",
             "GET /echo HTTP/1.2\r\nHost: a\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"OfHttp2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {{400, ""}}, Fate::Closed},
        Case{"OfHttp09", "GET /echo\r\n\r\n", {{400, ""}}, Fate::Closed},
        Case{"WithBlanksInTheTarget",
             "GET /ec ho HTTP/1.1\r\nHost: a\r\n\r\n",
             {{400, ""}},
             Fate::Closed},
        Case{"OfGarbage", "\x16\x03\x01\x02garbage\r\n\r\n", {{400, ""}}, Fate::Closed},
        Case{"WithOneLineOver16KiB",
             "GET /echo HTTP/1.1\r\nHost: a\r\n" + line_of(17000) + "\r\n",
             {{431, "16 KiB"}},
             Fate::Closed},
        Case{"WithATargetOver16KiB",
             "GET /" + std::string(17000, 'p') + " HTTP/1.1\r\nHost: a\r\n\r\n",
             {{431, "16 KiB"}},
             Fate::Closed},
        Case{"WithManyLinesOver16KiB",
             "GET /echo HTTP/1.1\r\nHost: a\r\n" + line_of(6000) + line_of(6000) + line_of(6000) +
                 "\r\n",
             {{431, "16 KiB"}},
             Fate::Closed}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    TakesHeads, RawRequest,
    testing::Values(Case{"AfterAnEmptyLine", "\r\n" + get("/echo"), {{200, "GET"}}},
                    Case{"AfterAnEmptyLineBetweenRequests",
                         post("/echo", "abc") + "\r\n" + get("/echo?2"),
                         {{200, "\nabc"}, {200, "?2"}}},
                    Case{"OfJustUnder16KiB",
                         "GET /echo HTTP/1.1\r\nHost: a\r\n" + line_of(8000) + line_of(8000) +
                             "\r\n",
                         {{200, "GET"}}},
                    Case{"WithAnEmptyHost", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", {{200, "GET"}}},
                    Case{"WithBytesOver127",
                         "GET /echo HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n",
                         {{200, "GET"}}}),
    name_of);

TEST(Head, MayHave128Headers) {
    HttpServer server{{.tls = false}};
    for (const int headers : {128, 129}) {
        Client client = server.connect();
        std::string head = "GET /echo HTTP/1.1\r\nHost: a\r\n";
        for (int header = 1; header < headers; ++header) {
            head += "a:\r\n";
        }
        // In two pieces: counted are those of the whole head.
        client.send(head.substr(0, head.size() / 2));
        client.send(head.substr(head.size() / 2) + "\r\n");
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, headers == 128 ? 200U : 431U);
    }
}

TEST(Head, OverSixteenKiBIsRefusedHoweverItArrives) {
    auto limits = test_limits();
    limits.drop = kPatience;  // what is still being sent must not reset the answer away
    HttpServer server{{.limits = limits, .tls = false}};
    Client client = server.connect();
    client.send("GET /echo HTTP/1.1\r\nHost: a\r\n");
    const std::string line = line_of(1000);
    for (int lines = 0; lines < 1000; ++lines) {
        ASSERT_TRUE(client.send(line));
    }
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 431U);
}

}  // namespace
}  // namespace smw::test
