// Steps on the CA's Secret.

#include "cert_rotation/schedule.hpp"
#include "cert_rotation/steps.hpp"
#include "cert_rotation/words.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

namespace smw::cert_rotation {
namespace {

void annotate_with(SecretChange& change, std::string_view name,
                   std::optional<std::string> content) {
    change.annotations.emplace_back(std::string{name}, std::move(content));
}

void set_pair(SecretChange& change, const std::string& prefix, const tls::Issued& pair) {
    change.data.emplace_back(prefix + ".crt", pair.certificate_pem);
    change.data.emplace_back(prefix + ".key", pair.key_pem);
}

Expected<tls::Issued> make_ca(const Draft& draft, std::chrono::seconds lifetime) {
    return draft.issuers.ca({tls::make_ca_name(), draft.wall(), lifetime});
}

bool next_is_made_for_request(const Draft& draft) {
    return draft.world().ca &&
           draft.world().ca->next_made_for == draft.situation.request.identity();
}

/// What is said of the CA in use when it changes.
void set_in_use_annotations(SecretChange& change, const Draft& draft, bool fulfils) {
    const auto& request = draft.situation.request;
    annotate_with(change, kInUseSince, tls::to_text(draft.wall()));
    annotate_with(change, kNextMadeFor, std::nullopt);
    const bool is_compromised =
        (fulfils && request.compromised) ||
        (draft.situation.old_is_compromised && !draft.situation.retiring.empty());
    annotate_with(change, kOldCa,
                  is_compromised ? std::optional{std::string{kCompromised}} : std::nullopt);
    if (fulfils && request.rotate) {
        annotate_with(change, kRotated, request.rotate);
        annotate_with(change, kRotate, std::nullopt);
    }
    if (fulfils && request.compromised) {
        annotate_with(change, kCompromisedDone, request.compromised);
        annotate_with(change, kCompromised, std::nullopt);
    }
}

/// How long what was trusted before stays so.
std::string retention(const Draft& draft, bool is_compromised) {
    return is_compromised ? "the old one is dropped as soon as what it signed is no longer served"
                          : fmt::format("the old one stays trusted for {}",
                                        words(draft.settings().ca_overlap));
}

Plan start_anew(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto ca = make_ca(draft, draft.settings().ca_lifetime);
    const auto next = make_ca(draft, lifetime_of_next(draft.settings()));
    if (!ca || !next) {
        return plan_failure(draft, ca ? next.error() : ca.error());
    }
    SecretWrite write;
    set_pair(write.change, "ca", *ca);
    set_pair(write.change, "ca-next", *next);
    const bool fulfils = situation.request.is_there();
    set_in_use_annotations(write.change, draft, fulfils);
    const bool has_old = !situation.retiring.empty();
    write.reason = fmt::format(
        "{}: made a new CA{}", situation.in_use.problem,
        has_old ? "; " + retention(draft, fulfils && situation.request.compromised) : "");
    return plan_secret(draft, write);
}

Plan take_next_into_use(const Draft& draft, const std::string& why, EventReason event) {
    const auto& situation = draft.situation;
    const auto next = make_ca(draft, lifetime_of_next(draft.settings()));
    if (!next) {
        return plan_failure(draft, next.error());
    }
    const bool fulfils = situation.request.is_there() && next_is_made_for_request(draft);
    SecretWrite write;
    set_pair(write.change, "ca", situation.next.pair);
    set_pair(write.change, "ca-next", *next);
    set_in_use_annotations(write.change, draft, fulfils);
    write.event = event;
    write.reason = fmt::format(
        "{}: the next CA ({}) is in use now, and a new next one was made; {}", why,
        situation.next.subject(), retention(draft, fulfils && situation.request.compromised));
    return plan_secret(draft, write);
}

/// Why the next CA must be made anew; empty: it need not.
std::string next_problem(const Draft& draft) {
    const auto& next = draft.situation.next;
    if (!next.is_usable()) {
        return next.problem;
    }
    if (draft.wall() >= staleness_date(next.certificate.details, draft.settings())) {
        return fmt::format("the next CA ({}) would end too soon, at {}", next.subject(),
                           tls::to_text(next.certificate.details.not_after));
    }
    if (draft.situation.request.is_there() && !next_is_made_for_request(draft)) {
        return fmt::format("a rotation is asked for by {}", draft.situation.request.words());
    }
    return {};
}

Plan replace_next(const Draft& draft, const std::string& why) {
    const auto& request = draft.situation.request;
    const auto next = make_ca(draft, lifetime_of_next(draft.settings()));
    if (!next) {
        return plan_failure(draft, next.error());
    }
    SecretWrite write;
    set_pair(write.change, "ca-next", *next);
    annotate_with(write.change, kNextMadeFor,
                  request.is_there() ? std::optional{request.identity()} : std::nullopt);
    if (!draft.situation.since_problem.empty()) {
        annotate_with(write.change, kInUseSince, tls::to_text(draft.wall()));
    }
    write.reason = fmt::format("{}: made a new next CA", why);
    return plan_secret(draft, write);
}

Plan write_since(const Draft& draft) {
    SecretWrite write;
    annotate_with(write.change, kInUseSince, tls::to_text(draft.wall()));
    write.event = EventReason::SecretMended;
    write.reason = fmt::format("{} in {}: it is now", draft.situation.since_problem,
                               secret_words(ca_key(draft.settings())));
    return plan_secret(draft, write);
}

}  // namespace

std::optional<Plan> mend_authorities(const Draft& draft) {
    const auto& situation = draft.situation;
    if (!situation.in_use.is_usable()) {
        return situation.next.is_usable()
                   ? take_next_into_use(draft, situation.in_use.problem, EventReason::SecretMended)
                   : start_anew(draft);
    }
    if (const auto why = next_problem(draft); !why.empty()) {
        return replace_next(draft, why);
    }
    if (!situation.since_problem.empty()) {
        return write_since(draft);
    }
    return std::nullopt;
}

std::optional<Pending> rotation_pending(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto date =
        rotation_date(situation.in_use.certificate.details, situation.since, draft.settings());
    if (!situation.request.is_there() && draft.wall() < date) {
        return std::nullopt;
    }
    return Pending{
        fmt::format("the next CA ({}) to be known to every API server", situation.next.subject()),
        ready_to_sign(situation, draft.question, situation.next)};
}

Plan rotate(const Draft& draft) {
    const auto& situation = draft.situation;
    const auto why =
        situation.request.is_there()
            ? fmt::format("a rotation is asked for by {}", situation.request.words())
            : fmt::format("the CA {} (in use since {}, ends at {}) is due for rotation",
                          situation.in_use.subject(), tls::to_text(situation.since),
                          tls::to_text(situation.in_use.certificate.details.not_after));
    return take_next_into_use(draft, why, EventReason::CARotated);
}

}  // namespace smw::cert_rotation
