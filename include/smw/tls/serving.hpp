#pragma once
// The serving certificate as it comes and changes, from files or from a Secret: what is served, and
// what is wrong with what was last seen.

#include "smw/async/snapshot.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/tls/reload.hpp"
#include "smw/tls/server_context.hpp"

#include <memory>
#include <string>
#include <vector>

namespace smw::tls {

struct ServingSettings {
    std::string from;  ///< folder or Secret, for people
    std::vector<std::string> expected_names;
    ServerSettings server;
    std::chrono::seconds expires_soon = kExpiresSoon;
};

/// Publishes a context for each new good pair; a bad pair leaves the old one serving. Used on one
/// thread; what it publishes is read from any.
class Serving {
public:
    /// `clock` outlives it.
    Serving(ServingSettings settings, const Clock& clock, log::Logger logger,
            metrics::Registry& metrics);

    /// What was seen, at each look: also the same pair again, for its time may have come.
    void see(std::string chain_pem, std::string key_pem);
    /// That there is no pair to be seen, and why.
    void see_none(std::string why);

    [[nodiscard]] const async::Snapshot<ServerContext>& contexts() const { return contexts_; }
    /// Why there is no (good) certificate, or a new one is not taken: one clause, or null when all
    /// is well.
    [[nodiscard]] std::shared_ptr<const std::string> problem() const { return reload_.problem(); }

private:
    void judge(std::string chain_pem, std::string key_pem, std::string content);
    void watch_validity();

    ServingSettings settings_;
    const Clock& clock_;
    Reload reload_;
    async::Snapshot<ServerContext> contexts_;
};

}  // namespace smw::tls
