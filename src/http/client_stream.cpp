#include "http/client_stream.hpp"

#include "smw/async/with_deadline.hpp"

#include <optional>
#include <utility>

namespace smw::http {

namespace {

class ConnectionStream final : public ClientStream {
public:
    ConnectionStream(std::unique_ptr<ClientConnection> connection, std::string origin)
        : head_(connection->head()),
          origin_(std::move(origin)),
          connection_(std::move(connection)) {}

    [[nodiscard]] const ClientResponse& head() const override { return head_; }
    Task<Expected<std::string>> read(Deadline deadline) override;

private:
    ClientResponse head_;
    std::string origin_;
    std::unique_ptr<ClientConnection> connection_;  ///< null once the body has ended
    std::optional<Error> failed_;
};

Task<Expected<std::string>> ConnectionStream::read(Deadline deadline) {
    if (failed_) {
        co_return tl::unexpected(*failed_);
    }
    if (!connection_) {
        co_return std::string{};
    }
    // Whoever is cancelled leaves it closed.
    auto connection = std::move(connection_);
    failed_ =
        annotate({Code::Unavailable, "a read was cancelled"}, Phase::Reading, origin_).value();
    auto work = connection->read_piece();
    auto piece = co_await async::with_deadline(std::move(work), deadline);
    if (!piece) {
        failed_ = annotate(past_deadline(), Phase::Reading, origin_).value();
        co_return tl::unexpected(*failed_);
    }
    if (!*piece) {
        failed_ = annotate(std::move(piece->error()), Phase::Reading, origin_).value();
        co_return tl::unexpected(*failed_);
    }
    failed_.reset();
    if (!(*piece)->empty()) {
        connection_ = std::move(connection);
    }
    co_return std::move(*piece);
}

}  // namespace

std::unique_ptr<ClientStream> make_stream(std::unique_ptr<ClientConnection> connection,
                                          std::string origin) {
    return std::make_unique<ConnectionStream>(std::move(connection), std::move(origin));
}

}  // namespace smw::http
