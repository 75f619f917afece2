#pragma once
// Opening a listening socket.

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>

namespace smw::http {

/// Binds and listens, non-blocking. An empty address is all interfaces: dual-stack, or IPv4 alone
/// where there is no IPv6.
[[nodiscard]] boost::system::error_code listen_on(boost::asio::ip::tcp::acceptor& acceptor,
                                                  const std::string& address, std::uint16_t port);

/// As it stands before ":port": "*" for all interfaces, IPv6 in brackets.
[[nodiscard]] std::string print_host(const std::string& address);

}  // namespace smw::http
