// Steps on the bundles: those of the configurations, and the one that is recorded.

#include "cert_rotation/steps.hpp"
#include "cert_rotation/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::cert_rotation {
namespace {

kube::Resource resource_of(ConfigurationKind kind) {
    return {"admissionregistration.k8s.io", "v1", std::string{to_string(kind)},
            kind == ConfigurationKind::Mutating ? "mutatingwebhookconfigurations"
                                                : "validatingwebhookconfigurations"};
}

/// What a write adds to a published bundle, and takes from it.
struct Difference {
    Bundle added;
    Bundle removed;
};

void compare(Difference& difference, const Target& target, const Bundle& published) {
    Bundle all = target.must;
    all.add(target.may);
    for (const auto& certificate : target.must.certificates()) {
        if (!published.has(certificate.details.sha256)) {
            difference.added.add(certificate);
        }
    }
    for (const auto& certificate : published.certificates()) {
        if (!all.has(certificate.details.sha256)) {
            difference.removed.add(certificate);
        }
    }
}

struct Telling {
    EventReason event;
    std::string reason;
};

/// What is said of it: `where` is the object.
Telling tell(const Difference& difference, const Bundle& recorded, const std::string& where) {
    const auto added = missing_in({}, difference.added);
    const auto removed = missing_in({}, difference.removed);
    if (!added.empty() && recorded.has_all(difference.added)) {
        return {EventReason::CABundleMended,
                fmt::format("caBundle of {} had lost {}: published again", where, words(added))};
    }
    if (!added.empty()) {
        return {EventReason::CABundlePublished,
                fmt::format("caBundle of {} has {} now", where, words(added))};
    }
    if (!removed.empty() && recorded.has_all(difference.removed)) {
        return {EventReason::CADropped,
                fmt::format("nothing that {} signed is served any more: dropped from caBundle of "
                            "{}",
                            words(removed), where)};
    }
    if (!removed.empty()) {
        return {EventReason::CABundleMended,
                fmt::format("caBundle of {} had {}, which signs nothing here: taken out", where,
                            words(removed))};
    }
    return {EventReason::CABundleMended,
            fmt::format("caBundle of {} had more in it than certificates: taken out", where)};
}

Plan apply_to(const Draft& draft, const WebhookConfiguration& configuration,
              const std::vector<Bundle>& published) {
    const auto& target = draft.situation.target;
    Difference difference;
    for (const auto& bundle : published) {
        compare(difference, target, bundle);
    }
    const auto telling =
        tell(difference, draft.situation.recorded,
             fmt::format("{} {}", to_string(configuration.kind), configuration.name));
    Plan plan = outlook(draft);
    plan.phase = difference.added.empty() ? plan.phase : Phase::Publishing;
    plan.reason = telling.reason;
    plan.write = Write{Write::Target::Configuration,
                       Write::Verb::Apply,
                       resource_of(configuration.kind),
                       {"", configuration.name},
                       configuration.seen.uid,
                       apply_bundle(configuration, target.pem()),
                       telling.event};
    return plan;
}

}  // namespace

std::optional<Plan> record_retiring(const Draft& draft) {
    const auto& situation = draft.situation;
    if (!draft.world().certs) {
        return std::nullopt;
    }
    Bundle forgotten;
    for (const auto& certificate : situation.retiring.certificates()) {
        const auto& sha256 = certificate.details.sha256;
        if (situation.target.must.has(sha256) && !situation.recorded.has(sha256)) {
            forgotten.add(certificate);
        }
    }
    if (forgotten.empty()) {
        return std::nullopt;
    }
    Bundle all = situation.recorded;
    all.add(forgotten);
    SecretWrite write;
    write.target = Write::Target::CertsSecret;
    write.change.data = {{"ca.crt", all.pem()}};
    write.event = EventReason::SecretMended;
    write.reason =
        fmt::format("{} is trusted today, and may not be forgotten: noted in ca.crt of {}",
                    words(missing_in({}, forgotten)), secret_words(certs_key(draft.settings())));
    return plan_secret(draft, write);
}

std::optional<Plan> publish(const Draft& draft) {
    const auto& target = draft.situation.target;
    auto entry = draft.situation.entries.begin();
    for (const auto& configuration : draft.world().configurations) {
        const auto end = entry + static_cast<std::ptrdiff_t>(configuration.entries.size());
        const std::vector<Bundle> published{entry, end};
        entry = end;
        if (!std::ranges::all_of(published,
                                 [&](const Bundle& bundle) { return target.is_met_by(bundle); })) {
            return apply_to(draft, configuration, published);
        }
    }
    return std::nullopt;
}

std::optional<Plan> update_record(const Draft& draft) {
    const auto& certs = draft.world().certs;
    const auto& situation = draft.situation;
    if (!certs || situation.target.is_met_by(situation.recorded)) {
        return std::nullopt;
    }
    Difference difference;
    compare(difference, situation.target, situation.recorded);
    const bool drops = difference.added.empty() && !difference.removed.empty();
    SecretWrite write;
    write.target = Write::Target::CertsSecret;
    write.change.data = {{"ca.crt", situation.target.pem()}};
    write.event = drops                        ? EventReason::CADropped
                  : situation.recorded.empty() ? EventReason::SecretMended
                                               : EventReason::CABundlePublished;
    write.phase = outlook(draft).phase;
    write.reason = fmt::format("ca.crt of {} says now what is published",
                               secret_words(certs_key(draft.settings())));
    return plan_secret(draft, write);
}

}  // namespace smw::cert_rotation
