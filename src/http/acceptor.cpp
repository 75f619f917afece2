#include "http/acceptor.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

namespace smw::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

error_code open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool dual_stack) {
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error && dual_stack) {
        acceptor.set_option(asio::ip::v6_only{false}, error);
    }
    if (!error) {
        acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (!error) {
        // epoll may report a connection that is not there: the shard must not wait in accept().
        acceptor.non_blocking(true, error);
    }
    if (error) {
        error_code ignored;
        acceptor.close(ignored);
    }
    return error;
}

}  // namespace

error_code listen_on(tcp::acceptor& acceptor, const std::string& address, std::uint16_t port) {
    error_code error;
    if (address.empty()) {
        error = open_acceptor(acceptor, {tcp::v6(), port}, true);
        const bool no_ipv6 = error && error != asio::error::address_in_use;
        return no_ipv6 ? open_acceptor(acceptor, {tcp::v4(), port}, false) : error;
    }
    const auto parsed = asio::ip::make_address(address, error);
    return error ? error : open_acceptor(acceptor, {parsed, port}, false);
}

std::string print_host(const std::string& address) {
    if (address.empty()) {
        return "*";
    }
    return address.find(':') == std::string::npos ? address : fmt::format("[{}]", address);
}

}  // namespace smw::http
