#include "client/watch_lines.hpp"

#include "client/api_failure.hpp"

#include <utility>

namespace smw::client {

Task<Answered<std::optional<std::string>>> WatchLines::line(Deadline deadline) {
    while (stream_) {
        auto next = buffer_.next();
        if (!next) {
            co_return end(std::move(next).error());
        }
        if (*next) {
            co_return *std::move(next);
        }
        auto bytes = co_await stream_->read(deadline);
        if (!bytes) {
            co_return end(std::move(bytes).error());
        }
        if (bytes->empty() && buffer_.has_rest()) {
            co_return end(Error{Code::Unavailable, "the watch ended in the middle of a line"});
        }
        if (bytes->empty()) {
            stream_.reset();
        }
        buffer_.append(*bytes);
    }
    co_return std::optional<std::string>{};
}

tl::unexpected<Failure> WatchLines::end(Error error) {
    stream_.reset();
    return tl::unexpected(unanswered(request_, std::move(error)));
}

}  // namespace smw::client
