#pragma once
// What goes wrong for a client, in words.

#include "smw/base/error.hpp"

#include <boost/system/error_code.hpp>

#include <string>
#include <string_view>

struct ssl_st;

namespace smw::http {

/// What a call is at. It stands in front of its error: "connecting to 10.96.0.1:443: ...".
enum class Phase { Connecting, ShakingHands, Asking, Reading };
[[nodiscard]] std::string_view to_words(Phase phase);

/// `error` of asking `origin` with what was attempted in front.
[[nodiscard]] tl::unexpected<Error> annotate(Error error, Phase phase, std::string_view origin);

[[nodiscard]] Error past_deadline();

/// A clause, without a capital: "connection refused", "the connection was cut off".
[[nodiscard]] std::string in_words(const boost::system::error_code& error);

/// Why a handshake failed: that the certificate of the server of that `name` is not good, and why,
/// before all else.
[[nodiscard]] std::string in_words(const boost::system::error_code& error, const ssl_st* session,
                                   std::string_view name);

}  // namespace smw::http
