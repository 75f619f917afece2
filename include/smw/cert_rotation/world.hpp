#pragma once
// What the cluster has of self-managed certificates, as values. Read from the API's objects without
// ever failing: what is missing, mistyped or no base64 is a finding that names Secret and key.

#include "smw/json/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::cert_rotation {

/// Annotations of the CA's Secret, all with this prefix.
inline constexpr std::string_view kAnnotationPrefix = "stateful-migration.dcnlab.com/";
/// RFC 3339: when the CA of ca.crt was taken into use.
inline constexpr std::string_view kInUseSince = "ca-in-use-since";
/// Asks for a rotation before its time: the date that `certs rotate` writes, or any other text.
inline constexpr std::string_view kRotate = "rotate";
/// The same because somebody may have the keys: the old CA is not trusted for the overlap. Any
/// text.
inline constexpr std::string_view kCompromised = "compromised";
/// The request that the next CA was made for.
inline constexpr std::string_view kNextMadeFor = "next-made-for";
/// The last kRotate and kCompromised that were carried out. The same text again is no new request,
/// so that whoever declares annotations in a repository does not rotate for ever.
inline constexpr std::string_view kRotated = "rotated";
inline constexpr std::string_view kCompromisedDone = "compromised-done";
/// "compromised": those that were trusted before ca.crt are dropped without the overlap.
inline constexpr std::string_view kOldCa = "old-ca";

/// Which version of an object was looked at.
struct Seen {
    std::string uid;
    std::string resource_version;
    friend bool operator==(const Seen&, const Seen&) = default;
};

/// One key of a Secret's data, decoded.
struct SecretValue {
    std::string key;  ///< "ca.crt"
    std::string bytes;
    std::string problem;  ///< "has no ca.crt", "has a ca.crt that is no base64"; empty: none

    [[nodiscard]] bool is_there() const { return problem.empty(); }
    friend bool operator==(const SecretValue&, const SecretValue&) = default;
};

struct CaSecret {
    Seen seen;
    SecretValue ca_crt;
    SecretValue ca_key;
    SecretValue next_crt;
    SecretValue next_key;
    std::optional<std::string> in_use_since;
    std::optional<std::string> rotate;
    std::optional<std::string> compromised;
    std::optional<std::string> next_made_for;
    std::optional<std::string> rotated;
    std::optional<std::string> compromised_done;
    std::optional<std::string> old_ca;
    friend bool operator==(const CaSecret&, const CaSecret&) = default;
};

struct CertsSecret {
    Seen seen;
    SecretValue tls_crt;
    SecretValue tls_key;
    SecretValue ca_crt;
    friend bool operator==(const CertsSecret&, const CertsSecret&) = default;
};

enum class ConfigurationKind { Mutating, Validating };
/// "MutatingWebhookConfiguration"
[[nodiscard]] std::string_view to_string(ConfigurationKind kind);

struct WebhookEntry {
    std::string name;
    std::string ca_bundle;  ///< decoded; empty when there is none, or none that can be decoded
    friend bool operator==(const WebhookEntry&, const WebhookEntry&) = default;
};

struct WebhookConfiguration {
    ConfigurationKind kind = ConfigurationKind::Mutating;
    std::string name;
    Seen seen;
    std::vector<WebhookEntry> entries;  ///< those that call our Service, in their order
    friend bool operator==(const WebhookConfiguration&, const WebhookConfiguration&) = default;
};

/// All that a decision needs; what is not there is absent from the cluster, not unknown to us.
struct World {
    std::optional<CaSecret> ca;
    std::optional<CertsSecret> certs;
    std::vector<WebhookConfiguration> configurations;
    friend bool operator==(const World&, const World&) = default;
};

/// The Service whose entries are ours.
struct ServiceName {
    std::string namespace_;
    std::string name;
};

[[nodiscard]] Seen read_seen(json::Value object);
[[nodiscard]] CaSecret read_ca_secret(json::Value object);
[[nodiscard]] CertsSecret read_certs_secret(json::Value object);
[[nodiscard]] WebhookConfiguration read_configuration(json::Value object, ConfigurationKind kind,
                                                      const ServiceName& service);

}  // namespace smw::cert_rotation
