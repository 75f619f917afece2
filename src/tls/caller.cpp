#include "smw/tls/caller.hpp"

#include "smw/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace smw::tls {

namespace {

/// A name has room; who puts more into a certificate is not shown all of it.
constexpr std::size_t kMostNameBytes = 256;

/// Untrusted text as part of a sentence.
std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text.substr(0, kMostNameBytes));
    return out;
}

bool has_allowed_name(const Caller& caller, const std::vector<std::string>& allowed) {
    return allowed.empty() ||
           std::any_of(caller.names.begin(), caller.names.end(), [&](auto& name) {
               return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
           });
}

std::pair<CallerResult, std::string> assess(const Caller& caller,
                                            const std::vector<std::string>& allowed) {
    switch (caller.certificate) {
        case Caller::Certificate::NotAsked:
            return {CallerResult::NoClientCa,
                    "this webhook wants to verify its callers and has no client CA to do it with "
                    "(--client-ca-file); its /readyz?verbose says why"};
        case Caller::Certificate::None:
            return {CallerResult::NoCertificate,
                    "this webhook wants to verify its callers, and no client certificate was "
                    "presented"};
        case Caller::Certificate::Unverified:
            return {CallerResult::Unverified,
                    fmt::format("the client certificate {}, issued by {}, is not trusted: {}",
                                quoted(caller.subject), quoted(caller.issuer), caller.problem)};
        case Caller::Certificate::Verified:
            break;
    }
    if (!has_allowed_name(caller, allowed)) {
        return {CallerResult::NotAllowed,
                fmt::format("the client certificate {} is trusted, but neither its CN nor a SAN is "
                            "among --client-allowed-names",
                            quoted(caller.subject))};
    }
    return {CallerResult::Allowed, ""};
}

}  // namespace

Expected<ClientAuth> parse_client_auth(std::string_view text) {
    if (text == "off") {
        return ClientAuth::Off;
    }
    if (text == "report") {
        return ClientAuth::Report;
    }
    if (text == "require") {
        return ClientAuth::Require;
    }
    return fail(Code::BadRequest, "must be off, report or require");
}

std::string_view to_string(CallerResult result) {
    switch (result) {
        case CallerResult::Allowed:
            return "allowed";
        case CallerResult::NotAllowed:
            return "not_allowed";
        case CallerResult::Unverified:
            return "unverified";
        case CallerResult::NoCertificate:
            return "no_certificate";
        case CallerResult::NoClientCa:
            return "no_client_ca";
    }
    return "";
}

CallerVerdict judge(const Caller& caller, const CallerPolicy& policy) {
    if (policy.mode == ClientAuth::Off) {
        return {};
    }
    auto [result, why] = assess(caller, policy.allowed_names);
    const bool refused = policy.mode == ClientAuth::Require && result != CallerResult::Allowed;
    return {result, refused, std::move(why)};
}

}  // namespace smw::tls
