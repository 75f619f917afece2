#pragma once
// What certificates say, and all that is wrong with them: the one list of rules that serving,
// issuing and `certs inspect` go by. Values in, values out; any thread.

#include "smw/base/clock.hpp"
#include "smw/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::tls {

/// What is refused does not replace what serves; what is suspicious is taken, and told.
enum class Severity { Suspicious, Refused };

enum class Rule {
    Missing,
    NoCertificate,
    UnreadableCertificate,
    NoKey,
    EncryptedKey,
    UnreadableKey,
    ForeignKey,
    DamagedKey,
    LeafNotFirst,
    WrongOrder,
    NotNeeded,
    NotACa,
    NotForServers,
    NotForSigning,
    Expired,
    NotYetValid,
    ExpiresSoon,
    NoNames,
    MissingName,
    SmallKey,
    UnusualKey,
    WeakSignature,
};

[[nodiscard]] std::string_view to_string(Severity severity);
/// For programs, and stable: "expired", "encrypted-key".
[[nodiscard]] std::string_view to_string(Rule rule);

struct Finding {
    Severity severity = Severity::Refused;
    Rule rule = Rule::Missing;
    std::string text;  ///< a clause for people; never any part of a key

    friend bool operator==(const Finding&, const Finding&) = default;
};

/// One certificate, for people and programs.
struct CertificateDetails {
    std::string subject;  ///< RFC 2253: "CN=webhook"
    std::string issuer;
    std::string serial;              ///< hexadecimal
    std::string sha256;              ///< of the whole certificate, hexadecimal
    std::string key;                 ///< "EC P-256", "RSA 2048", "ED25519"
    std::string signature;           ///< "ecdsa-with-SHA256"
    std::vector<std::string> names;  ///< DNS and IP SANs
    /// Extended: "serverAuth". Empty: there is no such extension, it is good for all.
    std::vector<std::string> usages;
    bool is_ca = false;
    WallTime not_before;
    WallTime not_after;

    friend bool operator==(const CertificateDetails&, const CertificateDetails&) = default;
};

/// What a leaf must be good for.
inline constexpr std::chrono::hours kExpiresSoon{72};

struct Expectation {
    /// What callers ask for: a finding when no SAN covers the first; empty: anything goes.
    std::vector<std::string> names;
    WallTime now;
    /// With less time left it is suspicious: somebody forgot to renew it.
    std::chrono::seconds expires_soon = kExpiresSoon;
};

/// Of a file: room for hundreds of certificates; below what would hurt.
inline constexpr std::size_t kMostCertificateBytes = std::size_t{1} << 20;

/// PEM, with whatever else is in the files.
struct Material {
    std::string chain;               ///< leaf first
    std::optional<std::string> key;  ///< nothing: not looked at, as a listener shows none
};

struct Inspection {
    std::vector<CertificateDetails> certificates;  ///< those that can be read, in their order
    std::size_t leaf = 0;  ///< the index of the server's own, as far as can be told
    std::vector<Finding> findings;

    [[nodiscard]] bool is_refused() const;
};

/// All that is wrong with what a server shows, or would show.
[[nodiscard]] Inspection inspect(const Material& material, const Expectation& expectation);
/// All that is wrong with a CA and its key that are to sign.
[[nodiscard]] Inspection inspect_authority(const Material& material, WallTime now);
/// All that is wrong with certificates that are to be trusted: ca.crt, a caBundle.
[[nodiscard]] Inspection inspect_trust(const std::string& bundle_pem, WallTime now);

/// What is wrong with the time, of a certificate that is called `what` ("the certificate").
[[nodiscard]] std::optional<Finding> judge_time(const CertificateDetails& certificate,
                                                std::string_view what, WallTime now);

struct TrustQuestion {
    std::string ca_pem;
    std::string name;  ///< DNS or IP; empty: whatever it is
    WallTime now;
};

/// Whether a client that trusts `ca_pem` and nothing else believes this chain, as Go's crypto/x509
/// would say. The error is a clause about the chain: "its issuer CN=x is not in it".
[[nodiscard]] Expected<void> believes(const TrustQuestion& question, const std::string& chain_pem);

/// What is in a text, without judging it.
struct PemContent {
    std::size_t certificates = 0;
    std::size_t keys = 0;
};
[[nodiscard]] PemContent count_pem(std::string_view text);

/// "2026-11-28T18:00:00Z"
[[nodiscard]] std::string to_text(WallTime time);

}  // namespace smw::tls
