#pragma once
// Who calls, and whether it may: --client-auth, as a function of values.

#include "smw/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smw::tls {

enum class ClientAuth {
    Off,      ///< nobody is asked for a certificate
    Report,   ///< what is offered is verified, counted and logged; nobody is refused
    Require,  ///< who does not show a good one is refused
};

/// "off", "report", "require".
[[nodiscard]] Expected<ClientAuth> parse_client_auth(std::string_view text);

/// What a handshake has told about a caller. All texts are the caller's own: untrusted.
struct Caller {
    enum class Certificate {
        NotAsked,  ///< there was no client CA to verify one with
        None,
        Unverified,
        Verified,
    };
    Certificate certificate = Certificate::NotAsked;
    std::string problem;  ///< why it is not verified, a clause: "it expired at ..."
    std::string subject;  ///< "CN=kube-apiserver,O=..." (RFC 4514)
    std::string issuer;
    std::vector<std::string> names;  ///< CN, and DNS, IP, URI and e-mail SANs
};

struct CallerPolicy {
    ClientAuth mode = ClientAuth::Off;
    std::vector<std::string> allowed_names;  ///< empty: any; compared by bytes
};

enum class CallerResult { Allowed, NotAllowed, Unverified, NoCertificate, NoClientCa };
/// The metric's label: "allowed", "not_allowed", "unverified", "no_certificate", "no_client_ca".
[[nodiscard]] std::string_view to_string(CallerResult result);

struct CallerVerdict {
    CallerResult result = CallerResult::Allowed;
    bool refused = false;
    std::string why;  ///< a sentence for the caller, unless Allowed

    friend bool operator==(const CallerVerdict&, const CallerVerdict&) = default;
};

[[nodiscard]] CallerVerdict judge(const Caller& caller, const CallerPolicy& policy);

}  // namespace smw::tls
