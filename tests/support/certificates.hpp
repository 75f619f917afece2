#pragma once
// Certificates with whatever a test wants to be wrong with them.

#include "smw/base/clock.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace smw::test {

using KeyPtr = std::shared_ptr<evp_pkey_st>;
using CertificatePtr = std::shared_ptr<x509_st>;

enum class KeyKind { P256, Rsa1024, Rsa2048 };

[[nodiscard]] KeyPtr make_key(KeyKind kind = KeyKind::P256);
[[nodiscard]] std::string to_pem(const KeyPtr& key);
[[nodiscard]] std::string to_encrypted_pem(const KeyPtr& key, const std::string& passphrase);
[[nodiscard]] std::string to_pem(const CertificatePtr& certificate);

struct Issuer {
    CertificatePtr certificate;
    KeyPtr key;
};

struct CertificateSpec {
    std::string common_name = "webhook";
    /// OpenSSL's spelling: "DNS:localhost,IP:127.0.0.1"; empty: no SAN.
    std::string san = "DNS:localhost,IP:127.0.0.1";
    /// OpenSSL's spelling; empty: no such extension.
    std::string extended_key_usage = "serverAuth";
    WallTime not_before = std::chrono::system_clock::now() - std::chrono::hours{1};
    WallTime not_after = std::chrono::system_clock::now() + std::chrono::hours{24 * 365};
    bool sha1 = false;
    bool is_ca = false;
};

/// Self-signed without an issuer.
[[nodiscard]] CertificatePtr issue(const CertificateSpec& spec, const KeyPtr& key,
                                   const Issuer* issuer = nullptr);

struct Pair {
    std::string chain_pem;
    std::string key_pem;
};

/// A self-signed pair made after `spec`.
[[nodiscard]] Pair make_pair(const CertificateSpec& spec = {}, KeyKind kind = KeyKind::P256);

}  // namespace smw::test
