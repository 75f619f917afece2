// The base that bench/compare/run measures the server against: the same libraries, and nothing
// around them. A Beast coroutine a connection over asio::ssl; the review is parsed with simdjson,
// its uid echoed with a patch that never changes. No limits, deadlines, logs, metrics, decisions.
//
// usage: compare-base PORT CERTIFICATE KEY    serves on 127.0.0.1 until it is killed
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Stream = asio::ssl::stream<Socket>;
using Session = asio::awaitable<void, asio::io_context::executor_type>;
constexpr asio::use_awaitable_t<asio::io_context::executor_type> kAwait;

/// [{"op":"replace","path":"/spec/containers/0/image","value":"nginx:1.20-checkpoint"},
///  {"op":"replace","path":"/spec/containers/1/image","value":"fluent/fluent-bit:2.0-checkpoint"}]
constexpr std::string_view kPatch =
    "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjL2NvbnRhaW5lcnMvMC9pbWFnZSIsInZhbHVlIjoibmdpbng6MS4y"
    "MC1jaGVja3BvaW50In0seyJvcCI6InJlcGxhY2UiLCJwYXRoIjoiL3NwZWMvY29udGFpbmVycy8xL2ltYWdlIiwidmFs"
    "dWUiOiJmbHVlbnQvZmx1ZW50LWJpdDoyLjAtY2hlY2twb2ludCJ9XQ==";

http::response<http::string_body> answer(http::request<http::string_body>& request,
                                         simdjson::dom::parser& parser) {
    http::response<http::string_body> response{http::status::ok, request.version()};
    response.keep_alive(request.keep_alive());
    // With the padding there, simdjson parses in place.
    request.body().reserve(request.body().size() + simdjson::SIMDJSON_PADDING);
    std::string_view uid;
    const auto parsed = parser.parse(request.body())["request"]["uid"].get_string().get(uid);
    if (parsed != simdjson::SUCCESS) {
        response.result(http::status::bad_request);
        response.prepare_payload();
        return response;
    }
    response.set(http::field::content_type, "application/json");
    auto& body = response.body();
    body.reserve(512);
    body += R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":")";
    body += uid;
    body += R"(","allowed":true,"patchType":"JSONPatch","patch":")";
    body += kPatch;
    body += R"("}})";
    response.prepare_payload();
    return response;
}

Session serve(Socket socket, asio::ssl::context& tls) {
    try {
        socket.set_option(tcp::no_delay{true});
        Stream stream{std::move(socket), tls};
        co_await stream.async_handshake(Stream::server, kAwait);
        boost::beast::flat_buffer buffer;
        simdjson::dom::parser parser;
        for (bool keep_alive = true; keep_alive;) {
            http::request<http::string_body> request;
            co_await http::async_read(stream, buffer, request, kAwait);
            auto response = answer(request, parser);
            keep_alive = response.keep_alive();
            co_await http::async_write(stream, response, kAwait);
        }
        co_await stream.async_shutdown(kAwait);
    } catch (const boost::system::system_error&) {
        // The peer has gone.
    }
}

Session accept(asio::io_context& context, asio::ssl::context& tls, tcp::endpoint endpoint) {
    using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
    Acceptor acceptor{context, endpoint};
    for (;;) {
        Socket socket = co_await acceptor.async_accept(kAwait);
        asio::co_spawn(context, serve(std::move(socket), tls), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: compare-base PORT CERTIFICATE KEY\n", stderr);
        return 2;
    }
    try {
        asio::io_context context{1};
        asio::ssl::context tls{asio::ssl::context::tls_server};
        tls.use_certificate_chain_file(argv[2]);
        tls.use_private_key_file(argv[3], asio::ssl::context::pem);
        const auto port = static_cast<asio::ip::port_type>(std::stoi(argv[1]));
        const tcp::endpoint here{asio::ip::address_v4::loopback(), port};
        asio::co_spawn(context, accept(context, tls, here), [](const std::exception_ptr& failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
        context.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "compare-base: %s\n", error.what());
        return 1;
    }
}
