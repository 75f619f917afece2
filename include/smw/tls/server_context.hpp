#pragma once
// What a TLS server needs for a handshake (RFC 8446, RFC 5246): immutable, swapped whole.

#include "smw/base/error.hpp"
#include "smw/tls/identity.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace smw::tls {

enum class ProtocolVersion { Tls12, Tls13 };

/// "VersionTLS12", "1.2" and the same for 1.3.
[[nodiscard]] Expected<ProtocolVersion> parse_protocol_version(std::string_view text);

struct ServerSettings {
    ProtocolVersion min_version = ProtocolVersion::Tls12;
    /// kube-apiserver's spelling (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256); empty: OpenSSL's choice.
    std::vector<std::string> cipher_suites;
};

/// An error names the first suite that OpenSSL does not have.
[[nodiscard]] Expected<void> check_cipher_suites(const std::vector<std::string>& suites);

/// ALPN http/1.1 (a client that offers only others is refused, one without ALPN is served), no
/// renegotiation, no compression, no resumption: the API server never resumes, and without tickets
/// there is no ticket key to rotate. Thread-safe; a connection made from it may outlive it.
class ServerContext {
public:
    [[nodiscard]] static Expected<std::shared_ptr<const ServerContext>> make(
        Identity identity, const ServerSettings& settings);

    /// Without its key, which only OpenSSL still has.
    [[nodiscard]] const Identity& identity() const { return identity_; }
    [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

private:
    ServerContext(Identity identity, std::shared_ptr<ssl_ctx_st> context)
        : identity_(std::move(identity)), context_(std::move(context)) {}

    Identity identity_;
    std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace smw::tls
