#include "http/client_request.hpp"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace smw::http {
namespace {

using testing::HasSubstr;
using testing::Not;

const async::Snapshot<tls::ClientContext> kContexts;

ClientSettings settings_for(const std::string& host, std::uint16_t port, bool tls = true) {
    ClientSettings settings;
    settings.host = host;
    settings.port = port;
    settings.tls = tls ? &kContexts : nullptr;
    return settings;
}

struct Origin {
    const char* host;
    std::uint16_t port;
    bool tls;
    const char* origin;
    const char* host_field;
};

constexpr Origin kOrigins[] = {
    {"10.96.0.1", 443, true, "10.96.0.1:443", "10.96.0.1"},
    {"10.96.0.1", 6443, true, "10.96.0.1:6443", "10.96.0.1:6443"},
    {"10.96.0.1", 80, true, "10.96.0.1:80", "10.96.0.1:80"},
    {"10.96.0.1", 80, false, "10.96.0.1:80", "10.96.0.1"},
    {"10.96.0.1", 443, false, "10.96.0.1:443", "10.96.0.1:443"},
    {"fd00::1", 443, true, "[fd00::1]:443", "[fd00::1]"},
    {"fd00::1", 6443, true, "[fd00::1]:6443", "[fd00::1]:6443"},
    {"example.org", 8443, true, "example.org:8443", "example.org:8443"},
};

TEST(ClientRequest, NamesItsHostAsTheSchemeHasIt) {
    for (const auto& [host, port, tls, origin, host_field] : kOrigins) {
        const auto settings = settings_for(host, port, tls);
        EXPECT_EQ(print_origin(settings), origin);
        const auto bytes = print_request({.target = "/"}, settings);
        ASSERT_TRUE(bytes) << origin;
        EXPECT_EQ(bytes->text, "GET / HTTP/1.1\r\nHost: " + std::string{host_field} + "\r\n\r\n");
    }
}

TEST(ClientRequest, HasItsHeadersInOrder) {
    auto settings = settings_for("host", 443);
    settings.user_agent = "smw/1.0 (linux/amd64)";
    const auto bytes = print_request(
        {.target = "/api?limit=1",
         .headers = {{"Accept", "application/json"}, {"X-Empty", ""}, {"x-tab", "a\tb \xc3\xa4"}}},
        settings);
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_EQ(bytes->text,
              "GET /api?limit=1 HTTP/1.1\r\nHost: host\r\nUser-Agent: smw/1.0 (linux/amd64)\r\n"
              "Accept: application/json\r\nX-Empty: \r\nx-tab: a\tb \xc3\xa4\r\n\r\n");
    EXPECT_TRUE(bytes->answer_has_body);
}

TEST(ClientRequest, KnowsThatTheAnswerToHeadHasNoBody) {
    const auto bytes = print_request({.method = "HEAD", .target = "/"}, settings_for("host", 443));
    ASSERT_TRUE(bytes);
    EXPECT_FALSE(bytes->answer_has_body);
    EXPECT_THAT(bytes->text, testing::StartsWith("HEAD / HTTP/1.1\r\n"));
}

TEST(ClientRequest, SaysHowLongItsBodyIs) {
    const std::string zero{"a\0\r\n\r\n", 6};
    const struct {
        const char* method;
        std::string body;
        const char* length;  ///< null: none is said
    } cases[] = {
        {"POST", "{}", "2"},   {"PUT", "{\"a\":\"\xc3\xa4\"}", "10"},
        {"PATCH", zero, "6"},  {"POST", "", "0"},
        {"PUT", "", "0"},      {"PATCH", "", "0"},
        {"DELETE", "{}", "2"}, {"DELETE", "", nullptr},
        {"GET", "", nullptr},
    };
    for (const auto& [method, body, length] : cases) {
        const auto bytes =
            print_request({.method = method, .target = "/", .body = body}, settings_for("h", 443));
        ASSERT_TRUE(bytes) << method;
        const auto field = length ? "Content-Length: " + std::string{length} + "\r\n" : "";
        EXPECT_EQ(bytes->text,
                  std::string{method} + " / HTTP/1.1\r\nHost: h\r\n" + field + "\r\n" + body);
        EXPECT_TRUE(bytes->answer_has_body);
    }
}

TEST(ClientRequest, RefusesASecondLength) {
    for (const char* name :
         {"Content-Length", "content-length", "Transfer-Encoding", "TRANSFER-ENCODING"}) {
        const auto bytes = print_request(
            {.method = "POST", .target = "/", .headers = {{name, "7"}}, .body = "secret"},
            settings_for("host", 443));
        ASSERT_FALSE(bytes) << name;
        EXPECT_EQ(bytes.error().code, Code::BadRequest);
        EXPECT_THAT(bytes.error().message, HasSubstr(name));
        EXPECT_THAT(bytes.error().message, Not(HasSubstr("secret")));
    }
}

TEST(ClientRequest, RefusesWhatWouldBeAnotherRequest) {
    const std::vector<std::pair<ClientRequest, const char*>> bad{
        {{.method = "", .target = "/"}, "method"},
        {{.method = "GET /", .target = "/"}, "method"},
        {{.method = "GET\r\n", .target = "/"}, "method"},
        {{.target = ""}, "target"},
        {{.target = "api"}, "target"},
        {{.target = "*"}, "target"},
        {{.target = "/a b"}, "target"},
        {{.target = "/a HTTP/1.1\r\nX: y"}, "target"},
        {{.target = "/a\tb"}, "target"},
        {{.target = "/\xc3\xa4"}, "target"},
        {{.target = std::string{"/a\0b", 4}}, "target"},
        {{.target = "/", .headers = {{"", "x"}}}, "header"},
        {{.target = "/", .headers = {{"X Y", "x"}}}, "header"},
        {{.target = "/", .headers = {{"X:", "x"}}}, "header"},
        {{.target = "/", .headers = {{"X\r\nY", "x"}}}, "header"},
        {{.target = "/", .headers = {{"Authorization", "Bearer secret\n"}}}, "Authorization"},
        {{.target = "/", .headers = {{"Authorization", "secret\r\nX: y"}}}, "Authorization"},
        {{.target = "/", .headers = {{"Authorization", std::string{"secret\0", 7}}}},
         "Authorization"},
        {{.target = "/", .headers = {{"Authorization", "secret\x7f"}}}, "Authorization"},
    };
    for (const auto& [request, part] : bad) {
        const auto bytes = print_request(request, settings_for("host", 443));
        ASSERT_FALSE(bytes) << request.method << request.target;
        EXPECT_EQ(bytes.error().code, Code::BadRequest);
        EXPECT_THAT(bytes.error().message, HasSubstr(part));
        EXPECT_THAT(bytes.error().message, Not(HasSubstr("secret")));
        EXPECT_THAT(bytes.error().message, Not(HasSubstr("\n")));
    }
}

}  // namespace
}  // namespace smw::http
