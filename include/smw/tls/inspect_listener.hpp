#pragma once
// What a running listener shows to whoever connects.

#include "smw/base/deadline.hpp"
#include "smw/base/error.hpp"

#include <cstdint>
#include <string>

namespace smw::tls {

struct ListenerAddress {
    std::string host;
    std::uint16_t port = 0;
    std::string server_name;  ///< SNI; an IP address is not sent (RFC 6066 section 3)
};

struct Shown {
    std::string chain_pem;
    std::string protocol;  ///< "TLSv1.3"
    std::string alpn;      ///< empty: none was agreed on
};

/// Shakes hands, offering http/1.1 as API servers do, and believes whatever is shown. Waits on the
/// calling thread; only looking up a host's name may outlast `deadline`. An error says what was
/// attempted: "connecting to 127.0.0.1:9443: Connection refused".
[[nodiscard]] Expected<Shown> look_at_listener(const ListenerAddress& address, Deadline deadline);

}  // namespace smw::tls
