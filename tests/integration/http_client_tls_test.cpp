// Whom a client trusts, and what it says of whom it does not.

#include "http_client_caller.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>

namespace smw::http {
namespace {

using test::Caller;
using test::CertificateSpec;
using test::RawConnection;
using test::RawServer;
using test::RawServerSettings;
using testing::EndsWith;
using testing::HasSubstr;

using Contexts = async::Snapshot<tls::ClientContext>;

void answer_all(RawConnection& connection) {
    while (!connection.read_request().empty()) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
}

/// What a client that trusts `tls` gets from `server`.
Expected<ClientResponse> ask(const RawServer& server, tls::ClientContextSettings tls,
                             std::string server_name = "") {
    Contexts contexts;
    auto context = tls::ClientContext::make(std::move(tls));
    if (!context) {
        return tl::unexpected(context.error());
    }
    contexts.publish(std::move(*context));
    auto settings = test::settings_for(server);
    settings.tls = &contexts;
    settings.server_name = std::move(server_name);
    return Caller{std::move(settings)}.send();
}

TEST(HttpClientTls, TrustsItsCa) {
    const auto pair = test::make_pair();
    const RawServer server{answer_all, {.chain_pem = pair.chain_pem, .key_pem = pair.key_pem}};
    const auto response = ask(server, {.ca_pem = pair.chain_pem});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
}

}  // namespace
}  // namespace smw::http
