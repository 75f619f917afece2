#include "http/head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace smw::http {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

RequestHeader make_header(unsigned version, const Headers& headers) {
    RequestHeader header;
    header.version(version);
    header.method_string("POST");
    header.target("/path");
    for (const auto& [name, value] : headers) {
        header.insert(name, value);
    }
    return header;
}

struct Refused {
    const char* name;
    unsigned version;
    Headers headers;
    unsigned status;
};

class ReadFramingRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ReadFramingRefuses, WhatCouldBeReadInTwoWays) {
    Framing framing;
    const auto refusal = read_framing(make_header(GetParam().version, GetParam().headers), framing);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->status, GetParam().status);
    EXPECT_FALSE(refusal->why.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReadFramingRefuses,
    testing::Values(
        Refused{"TwoLengths",
                11,
                {{"Host", "a"}, {"Content-Length", "1"}, {"Content-Length", "1"}},
                400},
        Refused{"LengthAndCoding",
                11,
                {{"Host", "a"}, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}},
                400},
        Refused{"LengthAndUnknownCoding",
                11,
                {{"Host", "a"}, {"Content-Length", "1"}, {"Transfer-Encoding", "gzip"}},
                400},
        Refused{"EmptyLength", 11, {{"Host", "a"}, {"Content-Length", ""}}, 400},
        Refused{"List", 11, {{"Host", "a"}, {"Content-Length", "5,5"}}, 400},
        Refused{"Plus", 11, {{"Host", "a"}, {"Content-Length", "+5"}}, 400},
        Refused{"Minus", 11, {{"Host", "a"}, {"Content-Length", "-5"}}, 400},
        Refused{"Fraction", 11, {{"Host", "a"}, {"Content-Length", "5.0"}}, 400},
        Refused{"Hexadecimal", 11, {{"Host", "a"}, {"Content-Length", "0x5"}}, 400},
        Refused{"Overflow", 11, {{"Host", "a"}, {"Content-Length", "18446744073709551616"}}, 400},
        Refused{"Gzip", 11, {{"Host", "a"}, {"Transfer-Encoding", "gzip"}}, 501},
        Refused{"EmptyCoding", 11, {{"Host", "a"}, {"Transfer-Encoding", ""}}, 501},
        Refused{"Identity", 11, {{"Host", "a"}, {"Transfer-Encoding", "identity"}}, 501},
        Refused{"GzipChunked", 11, {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}, 501},
        Refused{
            "ChunkedWithParameter", 11, {{"Host", "a"}, {"Transfer-Encoding", "chunked;q=1"}}, 501},
        Refused{"TwoCodings",
                11,
                {{"Host", "a"}, {"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}},
                501},
        Refused{"CodingOf10", 10, {{"Transfer-Encoding", "chunked"}}, 400},
        Refused{"NoHost", 11, {}, 400},
        Refused{"TwoHosts", 11, {{"Host", "a"}, {"Host", "a"}}, 400},
        Refused{"TwoHostsOf10", 10, {{"Host", "a"}, {"Host", "b"}}, 400}),
    [](const auto& given) { return given.param.name; });

TEST(ReadFraming, ReadsLengths) {
    for (const auto& [text, length] : std::vector<std::pair<std::string, std::uint64_t>>{
             {"0", 0U}, {"7", 7U}, {"007", 7U}, {"18446744073709551615", ~std::uint64_t{0}}}) {
        Framing framing;
        const Headers headers{{"Host", "a"}, {"Content-Length", text}};
        ASSERT_FALSE(read_framing(make_header(11, headers), framing)) << text;
        EXPECT_EQ(framing.content_length, length);
        EXPECT_FALSE(framing.chunked);
    }
}

TEST(ReadFraming, KnowsChunked) {
    for (const char* text : {"chunked", "Chunked", "CHUNKED"}) {
        Framing framing;
        const Headers headers{{"Host", "a"}, {"Transfer-Encoding", text}};
        ASSERT_FALSE(read_framing(make_header(11, headers), framing)) << text;
        EXPECT_TRUE(framing.chunked);
    }
}

struct Kept {
    unsigned version;
    Headers headers;
    bool keep_alive;
};

TEST(ReadFraming, KnowsWhetherTheConnectionGoesOn) {
    const std::vector<Kept> table{
        {11, {}, true},
        {11, {{"Connection", "keep-alive"}}, true},
        {11, {{"Connection", "close"}}, false},
        {11, {{"Connection", "Close"}}, false},
        {11, {{"Connection", "upgrade, close"}}, false},
        {11, {{"Connection", "closed"}}, true},
        {11, {{"Connection", "keep-alive"}, {"Connection", "close"}}, false},
        {10, {}, false},
        {10, {{"Connection", "Keep-Alive"}}, true},
        {10, {{"Connection", "te"}, {"Connection", "keep-alive"}}, true},
        {10, {{"Connection", "keep-alive, close"}}, false},
    };
    for (const auto& given : table) {
        Framing framing;
        Headers headers = given.headers;
        headers.emplace_back("Host", "a");
        ASSERT_FALSE(read_framing(make_header(given.version, headers), framing));
        EXPECT_EQ(framing.keep_alive, given.keep_alive)
            << given.version << " " << (given.headers.empty() ? "" : given.headers.front().second);
        EXPECT_EQ(framing.http_1_0, given.version == 10);
    }
}

TEST(ReadFraming, ExpectsContinueOfHttp11Only) {
    const Headers headers{{"Host", "a"}, {"Expect", "100-Continue"}};
    Framing framing;
    ASSERT_FALSE(read_framing(make_header(11, headers), framing));
    EXPECT_TRUE(framing.expects_continue);
    ASSERT_FALSE(read_framing(make_header(10, headers), framing));
    EXPECT_FALSE(framing.expects_continue);
    ASSERT_FALSE(read_framing(make_header(11, {{"Host", "a"}, {"Expect", "tea"}}), framing));
    EXPECT_FALSE(framing.expects_continue);
}

struct Target {
    const char* sent;
    const char* path;
    const char* query;
};

TEST(Describe, SplitsTargets) {
    const std::vector<Target> table{
        {"/mutate-v1-pod", "/mutate-v1-pod", ""},
        {"/mutate-v1-pod?timeout=5s", "/mutate-v1-pod", "timeout=5s"},
        {"/p?", "/p", ""},
        {"/p?a?b", "/p", "a?b"},
        {"/../a//b/./%2e", "/../a//b/./%2e", ""},
        {"/http://x/y", "/http://x/y", ""},
        {"https://svc.ns.svc:443/p?q", "/p", "q"},
        {"HTTP://a/p", "/p", ""},
        {"http://a", "/", ""},
        {"http://a?q", "", "q"},
        {"*", "*", ""},
        {"host:443", "host:443", ""},
    };
    for (const auto& given : table) {
        auto header = make_header(11, {});
        header.target(given.sent);
        const auto head = describe(header, TimePoint{});
        EXPECT_EQ(head.path, given.path) << given.sent;
        EXPECT_EQ(head.query, given.query) << given.sent;
    }
}

TEST(Describe, TakesMethodAndTypes) {
    auto header =
        make_header(11, {{"content-TYPE", "application/json"}, {"Content-Encoding", "br"}});
    const auto now = std::chrono::steady_clock::now();
    const auto head = describe(header, now);
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.content_type, "application/json");
    EXPECT_EQ(head.content_encoding, "br");
    EXPECT_EQ(head.received, now);
    header.method_string("BREW");
    EXPECT_EQ(describe(header, now).method, "BREW");
    EXPECT_EQ(describe(make_header(11, {}), now).content_type, "");
}

}  // namespace
}  // namespace smw::http
