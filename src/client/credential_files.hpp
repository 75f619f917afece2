#pragma once
// The secrets that a ClusterConfig names, read from their files. Blocking.

#include "smw/base/error.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/tls/client_context.hpp"

#include <filesystem>
#include <string>

namespace smw::client {

/// Trimmed. Empty, or with characters that no header carries, is an error, as unreadable is: it
/// names the file, and never shows what is in it.
[[nodiscard]] Expected<std::string> read_token(const std::filesystem::path& file);

/// Empty when `pem` is; an empty file is an error.
[[nodiscard]] Expected<std::string> read_pem(const Pem& pem);

/// All that a TLS context is made of.
[[nodiscard]] Expected<tls::ClientContextSettings> read_tls(const ClusterConfig& config);

}  // namespace smw::client
