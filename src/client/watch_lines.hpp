#pragma once
// The lines of a watch, out of the bytes of an answer that goes on.

#include "client/line_buffer.hpp"
#include "smw/client/api_client.hpp"
#include "smw/http/client.hpp"

#include <memory>
#include <optional>
#include <string>

namespace smw::client {

class WatchLines final : public WatchStream {
public:
    WatchLines(ApiRequest request, std::unique_ptr<http::ClientStream> stream)
        : request_(std::move(request)), stream_(std::move(stream)) {}

    Task<Answered<std::optional<std::string>>> line(Deadline deadline) override;

private:
    [[nodiscard]] tl::unexpected<Failure> end(Error error);

    const ApiRequest request_;
    std::unique_ptr<http::ClientStream> stream_;  ///< null: the stream has ended
    LineBuffer buffer_;
};

}  // namespace smw::client
