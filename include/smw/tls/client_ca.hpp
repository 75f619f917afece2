#pragma once
// Whom callers' certificates must come from: what a file of PEM certificates says.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"

#include <memory>
#include <string>
#include <vector>

struct x509_store_st;

namespace smw::tls {

/// Immutable, swapped whole. Thread-safe; a connection that verifies by it may outlive it.
class ClientCa {
public:
    /// An error says what is wrong with the text. Being out of date is none: see validity().
    [[nodiscard]] static Expected<std::shared_ptr<const ClientCa>> make(const std::string& pem,
                                                                        WallTime now);

    /// An error when none of its certificates is valid at `now`, naming the date.
    [[nodiscard]] Expected<void> validity(WallTime now) const;
    /// When the first of its certificates expires.
    [[nodiscard]] WallTime expiry() const;
    /// What is suspicious, but taken: "certificate number 2 expired at 2026-11-21T10:00:00Z".
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

    [[nodiscard]] x509_store_st* native() const { return store_.get(); }

private:
    struct Dates {
        WallTime not_before;
        WallTime not_after;
    };

    ClientCa() = default;

    std::shared_ptr<x509_store_st> store_;
    std::vector<Dates> dates_;  ///< at least one
    std::vector<std::string> warnings_;
};

}  // namespace smw::tls
