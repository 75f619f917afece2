#pragma once
// An ApiRequest as HTTP has it, and in words. Pure.

#include "smw/client/api_client.hpp"

#include <string>
#include <string_view>

namespace smw::client {

/// RFC 3986 section 2.1: everything but unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// Why there is no such path: "." and ".." are names of no object and mean another path to whoever
/// normalizes it (RFC 3986 section 5.2.4), a "get" without a name would be a list, and a "delete"
/// without one would empty the collection. What is created has its name in its body.
[[nodiscard]] Expected<void> check_names(const ApiRequest& request);

/// Whether that is a verb that changes something.
[[nodiscard]] bool is_write(std::string_view verb);

/// The method of a verb.
[[nodiscard]] std::string_view method_of(std::string_view verb);

/// Path and query: "<prefix>/apis/batch/v1/namespaces/a/jobs/train?limit=1".
[[nodiscard]] std::string target_of(const ApiRequest& request, std::string_view prefix);

/// The media types that we take, the whole object last: for servers that do not know the other.
[[nodiscard]] std::string accept_of(const ApiRequest& request);

/// "listing checkpointbackups.migration.dcnlab.com in namespace a".
[[nodiscard]] std::string describe(const ApiRequest& request);

}  // namespace smw::client
