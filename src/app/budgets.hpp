#pragma once
// What the limits of the configuration add up to, and whether the process was given as much. Pure.

#include "smw/http/listener.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::app {

/// Connections of the listeners of probes and metrics, each.
inline constexpr std::size_t kSideConnections = 64;

/// What there is. Nothing: there is no limit.
struct Given {
    std::optional<std::uint64_t> descriptors;
    std::optional<std::uint64_t> memory;  ///< bytes
};

/// What is held when every budget is used up at once, CheckpointBackups (≤ 500 bytes each) aside.
struct Needed {
    std::uint64_t descriptors = 0;
    std::uint64_t connection_memory = 0;
    std::uint64_t body_memory = 0;
    std::uint64_t other_memory = 0;

    [[nodiscard]] std::uint64_t memory() const;
    bool operator==(const Needed&) const = default;
};

[[nodiscard]] Needed needed_for(const http::Limits& limits, std::size_t threads);

/// Of something less is given than needed. For a log line.
struct Shortfall {
    std::string_view message;
    std::string given;
    std::string needed;
    std::string_view consequence;
    std::string remedy;
};

[[nodiscard]] std::vector<Shortfall> shortfalls(const Given& given, const http::Limits& limits,
                                                std::size_t threads);

/// Whole mebibytes: "256Mi".
[[nodiscard]] std::string in_mebibytes(std::uint64_t bytes);

}  // namespace smw::app
