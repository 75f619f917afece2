#pragma once
// What a TLS client needs for a handshake: whom to trust, who we are. Immutable, swapped whole.

#include "smw/base/error.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace smw::tls {

struct ClientContextSettings {
    std::string ca_pem{};     ///< certificates to trust; empty: the system's
    std::string chain_pem{};  ///< our own certificate, leaf first; empty: none
    std::string key_pem{};
    bool verify = true;  ///< false: any server is believed (insecure-skip-tls-verify)
};

/// TLS 1.2 at least, ALPN http/1.1. Thread-safe; a connection made from it may outlive it. That the
/// server's certificate is good for its name is checked by the connection.
class ClientContext {
public:
    /// An error says what is wrong with which part ("the CA holds no certificate", "the client key
    /// does not fit the client certificate"), and never shows a key.
    [[nodiscard]] static Expected<std::shared_ptr<const ClientContext>> make(
        const ClientContextSettings& settings);

    [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

private:
    explicit ClientContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

    std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace smw::tls
