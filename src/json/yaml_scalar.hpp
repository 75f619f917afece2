#pragma once
// What a plain YAML scalar means to Kubernetes: the resolver of sigs.k8s.io/yaml (its goyaml.v2,
// YAML 1.1). Pure.

#include "smw/base/error.hpp"

#include <string>
#include <string_view>

namespace smw::json {

enum class ScalarKind { Null, Boolean, Integer, Float, String };

struct Scalar {
    ScalarKind kind = ScalarKind::Null;
    std::string json;  ///< as JSON text; of a string: its content, not quoted
};

/// A scalar without quotes and tag. An error for what JSON has no word for: .inf, .nan.
[[nodiscard]] Expected<Scalar> resolve_plain(std::string_view text);

/// Whether `text` may stand without quotes in block style and be read as this very string, by this
/// resolver and by those that know sexagesimal numbers and timestamps.
[[nodiscard]] bool reads_as_string(std::string_view text);

}  // namespace smw::json
