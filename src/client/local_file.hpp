#pragma once
// Small files that configuration names: kubeconfigs, tokens, certificates. Blocking.

#include "smw/base/file.hpp"

namespace smw::client {

/// Far more than a kubeconfig with hundreds of clusters has.
inline constexpr std::size_t kMostFileBytes = std::size_t{16} << 20;

[[nodiscard]] inline Expected<std::string> read_local_file(const std::filesystem::path& file) {
    return read_file(file, kMostFileBytes);
}

}  // namespace smw::client
