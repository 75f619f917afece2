#include "http/connection_table.hpp"

namespace smw::http {

std::shared_ptr<Connection> ConnectionTable::longest_idle() const {
    const std::scoped_lock lock{mutex_};
    std::shared_ptr<Connection> longest;
    std::int64_t longest_since = 0;
    for (const auto& connection : connections_) {
        const auto since = connection->idle_since();
        if (since != 0 && (!longest || since < longest_since)) {
            longest = connection;
            longest_since = since;
        }
    }
    return longest;
}

}  // namespace smw::http
