#pragma once
// Answers that are no object, in the API's words and in ours. Pure.

#include "smw/client/api_client.hpp"
#include "smw/http/client.hpp"

namespace smw::client {

/// The API server said nothing, or nothing that it would say.
[[nodiscard]] Failure unanswered(const ApiRequest& request, Error error);

/// Of an answer that is no success: its Status, or one made of its HTTP status and headers. The
/// HTTP status is what counts as the code.
[[nodiscard]] Failure refused(const ApiRequest& request, const http::ClientResponse& response);

/// Whether an answer of 200 claims to be JSON; without a content type it does.
[[nodiscard]] bool is_json(const http::ClientResponse& response);
[[nodiscard]] Failure not_json(const ApiRequest& request, const http::ClientResponse& response);

/// The object in an answer of success, or why there is none. That of a "delete" may be a Status.
[[nodiscard]] Answered<json::Document> read_object(const ApiRequest& request,
                                                   http::ClientResponse response);

}  // namespace smw::client
