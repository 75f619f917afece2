#include "client/server_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::client {
namespace {

TEST(ParseServerUrl, TakesWhatKubeconfigsHave) {
    const struct {
        const char* text;
        ServerUrl url;
    } cases[] = {
        {"https://10.96.0.1:6443", {true, "10.96.0.1", 6443, ""}},
        {"https://api.example.org", {true, "api.example.org", 443, ""}},
        {"https://api.example.org:", {true, "api.example.org", 443, ""}},
        {"HTTPS://API_1.example.org/", {true, "API_1.example.org", 443, ""}},
        {"http://localhost", {false, "localhost", 80, ""}},
        {"http://localhost:8080", {false, "localhost", 8080, ""}},
        {"https://[fd00::1]:6443", {true, "fd00::1", 6443, ""}},
        {"https://[::1]", {true, "::1", 443, ""}},
        {"https://rancher.example.org/k8s/clusters/c-1//",
         {true, "rancher.example.org", 443, "/k8s/clusters/c-1"}},
        {"https://h:65535/a%20b:c@d", {true, "h", 65535, "/a%20b:c@d"}},
    };
    for (const auto& [text, url] : cases) {
        const auto parsed = parse_server_url(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, url) << text;
    }
}

TEST(ParseServerUrl, RefusesTheRestAndRepeatsNothingOfIt) {
    const struct {
        const char* text;
        const char* reason;
    } cases[] = {
        {"10.96.0.1:6443", "must begin with https:// or http://"},
        {"ftp://hunter2", "must begin with https:// or http://"},
        {"", "must begin with https:// or http://"},
        {"https:/hunter2", "must begin with https:// or http://"},
        {"https://", "has no host"},
        {"https://:6443", "has no host"},
        {"https:///hunter2", "has no host"},
        {"https://admin:hunter2@h", "has a user name in it: use a token or a client certificate"},
        {"https://h?x=hunter2", "has a query or a fragment"},
        {"https://h/a#hunter2", "has a query or a fragment"},
        {"https://h:0", "has a port that is none of 1 to 65535"},
        {"https://h:65536", "has a port that is none of 1 to 65535"},
        {"https://h:hunter2", "has a port that is none of 1 to 65535"},
        {"https://h:-1", "has a port that is none of 1 to 65535"},
        {"https://h:1x", "has a port that is none of 1 to 65535"},
        {"https://fd00::1", "needs brackets around its IPv6 address"},
        {"https://[fd00::1", "has a bracket that is not closed"},
        {"https://[", "has a bracket that is not closed"},
        {"https://[]", "has no good IPv6 address"},
        {"https://[hunter2]", "has no good IPv6 address"},
        {"https://[fe80::1%25eth0]", "has no good IPv6 address"},
        {"https://[::1]hunter2", "has a bracket that is not closed"},
        {"https://h\\hunter2", "has a host with characters that no host name has"},
        {"https://h%41", "has a host with characters that no host name has"},
        {"https://h hunter2", "has blanks or characters that no URL has"},
        {"https://h\r\nX: hunter2", "has blanks or characters that no URL has"},
        {"https://h/\xc3\xa4", "has blanks or characters that no URL has"},
    };
    for (const auto& [text, reason] : cases) {
        const auto parsed = parse_server_url(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().message, reason) << text;
        EXPECT_THAT(parsed.error().message, testing::Not(testing::HasSubstr("hunter2")));
    }
}

TEST(ParseHost, TakesIpv6WithAndWithoutBrackets) {
    EXPECT_EQ(parse_host("fd00::1"), "fd00::1");
    EXPECT_EQ(parse_host("[fd00::1]"), "fd00::1");
    EXPECT_EQ(parse_host("10.0.0.1"), "10.0.0.1");
    for (const char* text : {"", "[", "]", "[]", "a b", "a/b", ":", "1:2", "[10.0.0.1]"}) {
        EXPECT_FALSE(parse_host(text)) << text;
    }
}

}  // namespace
}  // namespace smw::client
