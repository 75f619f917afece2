// Steps on what replicas serve.

#include "cert_rotation/schedule.hpp"
#include "cert_rotation/steps.hpp"
#include "cert_rotation/words.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::cert_rotation {
namespace {

constexpr std::string_view kCommonName = "stateful-migration-webhook";

struct Reason {
    std::string text;
    EventReason event = EventReason::LeafIssued;
};

/// Why a new leaf is needed; nothing: it is not.
std::optional<Reason> why_new(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto& leaf = situation.leaf;
    if (!draft.world().certs) {
        return Reason{leaf.problem};
    }
    if (!leaf.is_usable()) {
        return Reason{leaf.problem, EventReason::SecretMended};
    }
    const auto secret = secret_words(certs_key(draft.settings()));
    if (!situation.leaf_is_of_ca_in_use) {
        return Reason{fmt::format("tls.crt in {} is not signed by the CA in use ({})", secret,
                                  situation.in_use.subject())};
    }
    if (!leaf.missing_name.empty()) {
        return Reason{fmt::format("tls.crt in {} has no SAN {}", secret, leaf.missing_name),
                      EventReason::SecretMended};
    }
    const auto date =
        renewal_date(*leaf.details, situation.in_use.certificate.details, draft.settings());
    if (date && draft.wall() >= *date) {
        return Reason{
            fmt::format("tls.crt in {} ends at {}", secret, tls::to_text(leaf.details->not_after))};
    }
    return std::nullopt;
}

/// No replica can serve anything that an API server believes: whatever comes is no worse.
bool is_beyond_harm(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto may_be_believed = [&](const tls::BundleCertificate& certificate) {
        const auto& details = certificate.details;
        return details.sha256 != situation.in_use.sha256() &&
               details.sha256 != situation.next.sha256() && details.not_before <= draft.wall() &&
               draft.wall() < details.not_after;
    };
    return !situation.leaf.is_usable() &&
           std::ranges::none_of(situation.entries, [&](const Bundle& entry) {
               return std::ranges::any_of(entry.certificates(), may_be_believed);
           });
}

}  // namespace

std::optional<Pending> leaf_pending(const Draft& draft) {
    const auto& situation = draft.situation;
    if (!why_new(draft)) {
        return std::nullopt;
    }
    // Who believes the old one believes the new one.
    const bool is_renewal = situation.leaf_is_of_ca_in_use && situation.leaf.key_fits;
    return Pending{
        fmt::format("the CA {} to be known to every API server", situation.in_use.subject()),
        is_renewal || is_beyond_harm(draft)
            ? draft.question.now.steady
            : ready_to_sign(situation, draft.question, situation.in_use)};
}

Plan sign_leaf(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto& settings = draft.settings();
    const auto reason = why_new(draft).value_or(Reason{});
    const auto leaf = draft.issuers.leaf(
        {std::string{kCommonName}, settings.names, draft.wall(), settings.leaf_lifetime},
        situation.in_use.pair);
    if (!leaf) {
        return plan_failure(draft, leaf.error());
    }
    SecretWrite write;
    write.target = Write::Target::CertsSecret;
    write.change.data = {{"tls.crt", leaf->certificate_pem}, {"tls.key", leaf->key_pem}};
    if (!situation.target.is_met_by(situation.recorded)) {
        write.change.data.emplace_back("ca.crt", situation.target.pem());
    }
    write.event = reason.event;
    write.phase = Phase::Signing;
    write.reason = fmt::format("{}: signed a new one with the CA {}, good for {}", reason.text,
                               situation.in_use.subject(), words(settings.leaf_lifetime));
    return plan_secret(draft, write);
}

}  // namespace smw::cert_rotation
