#pragma once
// Rotations that somebody asks for by annotations of the CA's Secret. Pure.

#include "smw/cert_rotation/world.hpp"

#include <optional>
#include <string>

namespace smw::cert_rotation {

/// What was asked for and not carried out.
struct Request {
    std::optional<std::string> rotate;
    std::optional<std::string> compromised;

    [[nodiscard]] bool is_there() const { return rotate || compromised; }
    /// Tells it from another request, as kNextMadeFor has it.
    [[nodiscard]] std::string identity() const;
    /// "annotation rotate", for people.
    [[nodiscard]] std::string words() const;
};

[[nodiscard]] Request read_request(const CaSecret& secret);

}  // namespace smw::cert_rotation
