#pragma once
// The request being served, as its Service sees it.

#include "http/connection.hpp"
#include "smw/http/service.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace smw::http {

/// Memory of a body or an answer that is kept for the next one on the connection.
inline constexpr std::size_t kMaxSpareBytes = std::size_t{16} << 10;

/// On the connection's thread; lives as long as the Service answers.
class ConnectionExchange final : public Exchange {
public:
    ConnectionExchange(Connection& connection, RequestHead head)
        : connection_(connection), head_(head) {}
    ~ConnectionExchange() override { connection_.release_reservation(); }

    [[nodiscard]] const RequestHead& head() const override { return head_; }

    Task<Expected<std::string>> read_body(Deadline deadline) override {
        return connection_.read_body(deadline);
    }

    void recycle(std::string memory) override {
        if (memory.capacity() <= kMaxSpareBytes) {
            connection_.spare_ = std::move(memory);
        }
    }

private:
    Connection& connection_;
    RequestHead head_;
};

}  // namespace smw::http
