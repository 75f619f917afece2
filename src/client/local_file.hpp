#pragma once
// Small files that configuration names: kubeconfigs, tokens, certificates. Blocking.

#include "smw/base/error.hpp"

#include <filesystem>
#include <string>

namespace smw::client {

/// The whole content of a regular file. An error names it: "/etc/k.conf: No such file or
/// directory" (NotFound), "/etc: is a folder". Never waits, as opening a FIFO would.
[[nodiscard]] Expected<std::string> read_local_file(const std::filesystem::path& file);

}  // namespace smw::client
