#pragma once
// Who we are and whom we trust, as the files say it now: a token is read again each minute, CA and
// client certificate every five (client-go transport/token_source.go, transport/ca_rotation.go).
// One thread; reads small files on it.

#include "smw/async/snapshot.hpp"
#include "smw/base/clock.hpp"
#include "smw/base/log.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/tls/client_context.hpp"

#include <string>

namespace smw::client {

class Credentials {
public:
    /// Nothing is read yet. `config` and `clock` outlive the credentials.
    Credentials(const ClusterConfig& config, const Clock& clock, log::Logger logger);

    /// The token for the next request; empty: none. What cannot be read is logged once, and the
    /// last good one stays.
    [[nodiscard]] const std::string& token();
    /// The API server refused the token: reads it again. False when there is no file to read.
    [[nodiscard]] bool renew_token();

    /// Publishes what the files say when it is time to look. True when something else than before
    /// was published: then old connections should go. A bad content is logged once, the last good
    /// one stays, and after ten seconds it is looked at again.
    bool refresh_tls();
    /// Empty before refresh_tls(), and as long as nothing good was there.
    [[nodiscard]] const async::Snapshot<tls::ClientContext>& contexts() const { return contexts_; }

private:
    void read_token_file();
    void publish(const tls::ClientContextSettings& settings);
    void complain_once(std::string& told, const char* message, const std::string& why);

    const ClusterConfig& config_;
    const Clock& clock_;
    log::Logger logger_;

    std::string token_;
    TimePoint token_until_;
    std::string token_told_;  ///< what was said of the file; empty: it was good

    async::Snapshot<tls::ClientContext> contexts_;
    tls::ClientContextSettings published_;
    TimePoint tls_until_;
    std::string tls_told_;
};

}  // namespace smw::client
