#pragma once
// Image references, as the kubelet reads them: what distribution/reference's ParseNormalizedNamed
// takes.

#include <string>
#include <string_view>

namespace smw::kube {

[[nodiscard]] bool is_image_reference(std::string_view image);

/// Whether the first component, with a '/' after it, contains '.' or ':' or is "localhost".
[[nodiscard]] bool names_registry(std::string_view image);

/// `registry` (its http(s):// and trailing slashes taken off) before an image that names no
/// registry of its own. An empty registry changes nothing.
[[nodiscard]] std::string with_registry(std::string_view image, std::string_view registry);

}  // namespace smw::kube
