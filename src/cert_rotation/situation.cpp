#include "cert_rotation/situation.hpp"

#include "cert_rotation/memory.hpp"
#include "cert_rotation/words.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::cert_rotation {
namespace {

/// As far as the clocks of two replicas may differ.
constexpr std::chrono::hours kTolerance{1};
/// A caBundle may have all the CAs of a company; what is published by each must stay well below
/// the 1 MiB of a Secret: 64 of 4 KiB at most.
constexpr std::size_t kMostRetiring = 64;

void judge_since(Situation& situation, const CaSecret& secret, WallTime now) {
    const auto parsed = secret.in_use_since ? kube::parse_time(*secret.in_use_since) : std::nullopt;
    situation.since = parsed.value_or(now);
    if (!secret.in_use_since) {
        situation.since_problem = "it was not written down since when the CA is in use";
    } else if (!parsed) {
        situation.since_problem = "annotation ca-in-use-since is no date";
    } else if (*parsed > now + kTolerance) {
        situation.since_problem = "annotation ca-in-use-since lies ahead";
    } else if (situation.in_use.is_usable() &&
               *parsed < situation.in_use.certificate.details.not_before) {
        situation.since_problem = "annotation ca-in-use-since is of another CA";
    }
    if (!situation.since_problem.empty()) {
        situation.since = now;
    }
}

void judge_authorities(Situation& situation, const Question& question) {
    const auto secret = secret_words(ca_key(question.settings));
    if (!question.world.ca) {
        situation.in_use.problem = fmt::format("there is no {}", secret);
        situation.next.problem = situation.in_use.problem;
        return;
    }
    const auto& ca = *question.world.ca;
    situation.in_use = judge_authority(secret, ca.ca_crt, ca.ca_key, question.now.wall);
    situation.next = judge_authority(secret, ca.next_crt, ca.next_key, question.now.wall);
    if (situation.next.is_usable() && situation.in_use.is_usable() &&
        situation.next.sha256() == situation.in_use.sha256()) {
        situation.next.problem = fmt::format("ca-next.crt in {} is the same as ca.crt", secret);
    }
    judge_since(situation, ca, question.now.wall);
    situation.request = read_request(ca);
    situation.old_is_compromised = ca.old_ca == kCompromised;
}

void judge_certs(Situation& situation, const Question& question) {
    const auto secret = secret_words(certs_key(question.settings));
    if (!question.world.certs) {
        situation.leaf.problem = fmt::format("there is no {}", secret);
        return;
    }
    situation.leaf =
        judge_leaf(*question.world.certs, {secret, question.settings.names, question.now.wall});
    situation.leaf_is_of_ca_in_use = situation.leaf.is_signed_by(situation.in_use);
    situation.recorded = Bundle::parse(question.world.certs->ca_crt.bytes);
}

/// All that is trusted today beside our two, and has not expired. A certificate that is no CA may
/// be the one that is served: who trusts it by itself needs no CA.
Bundle find_retiring(const Situation& situation, WallTime now) {
    Bundle known = situation.recorded;
    for (const auto& entry : situation.entries) {
        known.add(entry);
    }
    std::vector<tls::BundleCertificate> found;
    for (const auto& certificate : known.certificates()) {
        const bool is_ours =
            (situation.in_use.is_usable() &&
             certificate.details.sha256 == situation.in_use.sha256()) ||
            (situation.next.is_usable() && certificate.details.sha256 == situation.next.sha256());
        if (!is_ours && now < certificate.details.not_after) {
            found.push_back(certificate);
        }
    }
    std::ranges::sort(found, {}, [](const auto& one) { return one.details.sha256; });
    if (found.size() > kMostRetiring) {
        // That of what is served now above all.
        std::ranges::stable_partition(found, [&](const tls::BundleCertificate& certificate) {
            return tls::believes({certificate.pem, "", now}, situation.leaf.chain_pem).has_value();
        });
        found.resize(kMostRetiring);
    }
    Bundle retiring;
    for (const auto& certificate : found) {
        retiring.add(certificate);
    }
    return retiring;
}

/// What retires must be published until its overlap is over and a leaf of the CA in use has taken
/// the place of what it signed; then it may stay until that leaf has been there for long enough.
void set_target(Situation& situation, const Question& question) {
    if (!situation.in_use.is_usable() || !situation.next.is_usable()) {
        return;
    }
    situation.target.must.add(situation.in_use.certificate);
    situation.target.must.add(situation.next.certificate);
    const auto overlap =
        situation.old_is_compromised ? std::chrono::seconds{0} : question.settings.ca_overlap;
    const bool is_replaced = situation.leaf.is_usable() && situation.leaf_is_of_ca_in_use;
    if (is_replaced && !situation.retiring.empty()) {
        const auto seen_for = question.now.steady - question.memory.leaf_since;
        const Duration wait = question.settings.ca_publish_wait;
        const auto left = std::max(wait - seen_for, Duration::zero());
        situation.drop_date =
            std::max(situation.since + overlap,
                     question.now.wall + std::chrono::duration_cast<WallTime::duration>(left));
    }
    if (!is_replaced || question.now.wall < situation.since + overlap) {
        situation.target.must.add(situation.retiring);
    } else if (situation.drop_date && question.now.wall < *situation.drop_date) {
        situation.target.may.add(situation.retiring);
    }
}

}  // namespace

kube::ObjectKey ca_key(const Settings& settings) {
    return {settings.namespace_, settings.ca_secret};
}

kube::ObjectKey certs_key(const Settings& settings) {
    return {settings.namespace_, settings.certs_secret};
}

Situation judge(const Question& question, std::vector<Bundle> entries) {
    Situation situation;
    situation.entries = std::move(entries);
    judge_authorities(situation, question);
    judge_certs(situation, question);
    situation.retiring = find_retiring(situation, question.now.wall);
    set_target(situation, question);
    return situation;
}

std::optional<TimePoint> ready_to_sign(const Situation& situation, const Question& question,
                                       const Authority& ca) {
    if (situation.entries.empty()) {
        return question.now.steady;
    }
    return published_by(question.memory, ca.sha256(), question.settings.ca_publish_wait);
}

}  // namespace smw::cert_rotation
