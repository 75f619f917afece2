#pragma once
// One connection of a client: a request out, the head of its answer and the body piece by piece in.

#include "http/client_error.hpp"
#include "http/client_request.hpp"
#include "http/transport.hpp"
#include "smw/http/client.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace smw::http {

/// Errors are clauses without what was attempted. After one, or after a cancellation, the
/// connection is of no more use.
class ClientConnection {
public:
    ClientConnection(std::unique_ptr<Transport> transport, std::size_t max_head_bytes)
        : transport_(std::move(transport)), max_head_bytes_(max_head_bytes) {}

    /// Until the head of the answer is there. Both parameters outlive the task.
    Task<Expected<void>> ask(const RequestBytes& request, Phase& phase);
    /// Whether a byte of the answer has come.
    [[nodiscard]] bool heard() const { return heard_; }
    /// The answer without its body.
    [[nodiscard]] ClientResponse head() const;
    /// Of the body, when the head says so.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const;
    /// The next bytes of the body; empty once it has ended in good order.
    Task<Expected<std::string>> read_piece();

    /// Whether it can be asked again: the answer has been read to its end and not a byte more came.
    [[nodiscard]] bool is_reusable() const;

private:
    using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

    Task<Expected<void>> read_head();
    Task<error_code> fill();
    Expected<bool> parse_head();
    [[nodiscard]] Expected<void> judge_head() const;
    Expected<std::string> take_piece();
    Expected<void> end_body(error_code error);
    [[nodiscard]] Error silence(const error_code& error) const;

    std::unique_ptr<Transport> transport_;
    std::size_t max_head_bytes_;
    boost::beast::flat_buffer buffer_;

    // Of the answer being read.
    std::optional<Parser> parser_;
    std::size_t head_bytes_ = 0;  ///< that were parsed
    bool heard_ = false;
    bool body_begun_ = false;
};

}  // namespace smw::http
