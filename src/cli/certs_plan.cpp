#include "cli/certs_plan.hpp"

#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace smw::cli {
namespace {

using tls::CertificateDetails;
using tls::Rule;
using tls::Severity;

std::string all_refused(const tls::Inspection& inspection) {
    std::string text;
    for (const auto& finding : inspection.findings) {
        if (finding.severity == Severity::Refused) {
            text += (text.empty() ? "" : "; ") + finding.text;
        }
    }
    return text;
}

/// The moment at which a third of its life is left. In seconds: a WallTime cannot hold the span
/// between the ends of what it can hold.
WallTime last_third(const CertificateDetails& certificate) {
    using std::chrono::floor;
    using std::chrono::seconds;
    const auto life =
        floor<seconds>(certificate.not_after) - floor<seconds>(certificate.not_before);
    return certificate.not_after - life / 3;
}

class Planner {
public:
    Planner(const IssuedFiles& there, const IssueWishes& wishes)
        : there_(there), wishes_(wishes), names_(tls::dns_names(wishes.service)) {
        names_.insert(names_.end(), wishes.extra_names.begin(), wishes.extra_names.end());
    }

    Expected<IssuePlan> plan() && {
        if (auto chosen = wishes_.signer ? take_signer() : choose_ca(); !chosen) {
            return tl::unexpected(chosen.error());
        }
        if (auto chosen = choose_leaf(); !chosen) {
            return tl::unexpected(chosen.error());
        }
        return std::move(plan_);
    }

private:
    [[nodiscard]] std::string path(std::string_view file) const {
        return (std::filesystem::path{wishes_.folder} / file).string();
    }

    /// Nothing when --force was given.
    [[nodiscard]] Expected<void> needs_force(std::string why) const {
        if (wishes_.force) {
            return {};
        }
        return fail(Code::Conflict, std::move(why) + "; --force overwrites it");
    }

    Expected<void> take_signer() {
        // It is copied into a file that everybody may read. RFC 7468 and what OpenSSL wrote before
        // it name all kinds of keys alike.
        if (wishes_.signer->certificate_pem.find("PRIVATE KEY") != std::string::npos) {
            return fail(Code::BadRequest,
                        "--ca: its ca.crt has a private key in it, and everybody may read a "
                        "ca.crt; keep the key in ca.key, and only certificates in ca.crt");
        }
        const auto inspection = tls::inspect_authority(
            {wishes_.signer->certificate_pem, wishes_.signer->key_pem}, wishes_.now);
        if (inspection.is_refused()) {
            return fail(Code::BadRequest, "--ca: " + all_refused(inspection));
        }
        ca_ = *wishes_.signer;
        const auto& details = inspection.certificates.front();
        const auto own = there_.ca ? tls::inspect_trust(*there_.ca, wishes_.now).certificates
                                   : std::vector<CertificateDetails>{};
        if (!own.empty() && own.front().sha256 == details.sha256) {
            say_ca("kept", details, "");
            return {};
        }
        if (there_.ca_key) {
            return fail(Code::Conflict,
                        fmt::format("{} has a CA of its own (ca.key), which is not that of --ca; "
                                    "take another --out",
                                    wishes_.folder));
        }
        if (there_.ca || there_.chain || there_.key) {
            if (auto forced = needs_force(
                    fmt::format("{} is not of the CA of --ca", path(there_.ca      ? "ca.crt"
                                                                    : there_.chain ? "tls.crt"
                                                                                   : "tls.key")));
                !forced) {
                return forced;
            }
        }
        plan_.files.push_back({"ca.crt", ca_->certificate_pem, false});
        plan_.said.push_back(
            fmt::format("made  {}: a copy of --ca, {}", path("ca.crt"), details.subject));
        overwrite_leaf_ = true;
        return {};
    }

    Expected<void> choose_ca() {
        if (!there_.ca && !there_.ca_key) {
            if (there_.chain || there_.key) {
                return make_ca_by_force(
                    fmt::format("{} is there without a CA, so it is not from here",
                                path(there_.chain ? "tls.crt" : "tls.key")));
            }
            return make_ca({});
        }
        if (!there_.ca || !there_.ca_key) {
            return choose_half_ca();
        }
        const auto inspection = tls::inspect_authority({*there_.ca, *there_.ca_key}, wishes_.now);
        if (!inspection.is_refused()) {
            ca_ = {*there_.ca, *there_.ca_key};
            keep_ca(inspection.certificates.front());
            return {};
        }
        const bool only_expired = std::ranges::all_of(inspection.findings, [](const auto& finding) {
            return finding.severity != Severity::Refused || finding.rule == Rule::Expired;
        });
        if (only_expired) {
            overwrite_leaf_ = !there_.chain || is_signed_by(*there_.ca);
            return make_ca(all_refused(inspection));
        }
        return make_ca_by_force(
            fmt::format("{} and ca.key cannot sign: {}", path("ca.crt"), all_refused(inspection)));
    }

    /// Somebody's CA without its key may still have signed something good.
    Expected<void> choose_half_ca() {
        if (there_.ca && leaf_problem(*there_.ca).empty()) {
            plan_.notes.push_back(
                fmt::format("{} has no ca.key beside it: when tls.crt must be renewed, that can "
                            "be done only where the key is",
                            path("ca.crt")));
            return {};
        }
        return make_ca_by_force(
            there_.ca ? fmt::format("{} has no ca.key beside it, so it cannot sign", path("ca.crt"))
                      : fmt::format("{} has no ca.crt beside it", path("ca.key")));
    }

    Expected<void> make_ca_by_force(std::string why) {
        if (auto forced = needs_force(std::move(why)); !forced) {
            return forced;
        }
        overwrite_leaf_ = true;
        return make_ca("as --force asks for");
    }

    Expected<void> make_ca(const std::string& why) {
        auto made = tls::issue_ca({tls::make_ca_name(), wishes_.now, wishes_.ca_lifetime});
        if (!made) {
            return tl::unexpected(made.error());
        }
        ca_ = std::move(*made);
        plan_.has_new_ca = true;
        plan_.files.push_back({"ca.crt", ca_->certificate_pem, false});
        plan_.files.push_back({"ca.key", ca_->key_pem, true});
        const auto details = tls::inspect_trust(ca_->certificate_pem, wishes_.now).certificates;
        say_ca("made", details.front(), why);
        return {};
    }

    void say_ca(std::string_view what, const CertificateDetails& details, const std::string& why) {
        plan_.said.push_back(fmt::format("{}  {}{}: {}, valid to {}{}", what, path("ca.crt"),
                                         wishes_.signer ? "" : " and ca.key", details.subject,
                                         tls::to_text(details.not_after),
                                         why.empty() ? "" : fmt::format(" ({})", why)));
    }

    void keep_ca(const CertificateDetails& details) {
        say_ca("kept", details, "");
        note_mode("ca.key", there_.ca_key_mode);
        if (wishes_.now >= last_third(details)) {
            plan_.notes.push_back(fmt::format(
                "the CA expires at {}, and no certificate of it can live longer; make a new one "
                "in another folder, and let callers trust both before you change over",
                tls::to_text(details.not_after)));
        }
    }

    /// Of a key that is kept.
    void note_mode(std::string_view file, mode_t mode) {
        constexpr mode_t kOthers = 0077;
        if ((mode & kOthers) != 0) {
            plan_.notes.push_back(fmt::format(
                "{} is open to others than its owner (mode {:04o}); chmod 600 closes it",
                path(file), mode));
        }
    }

    /// By whom it is signed, and not whether it is still valid.
    [[nodiscard]] bool is_signed_by(const std::string& ca_pem) const {
        const auto certificates = tls::inspect_trust(*there_.chain, wishes_.now).certificates;
        if (certificates.empty()) {
            return false;
        }
        const auto while_valid = certificates.front().not_after - std::chrono::seconds{1};
        return tls::believes({ca_pem, {}, while_valid}, *there_.chain).has_value();
    }

    [[nodiscard]] CertificateDetails leaf_of(const std::string& chain_pem) const {
        return tls::inspect({chain_pem, {}}, {{}, wishes_.now}).certificates.front();
    }

    /// Why callers that trust `ca_pem` would not take it; empty when they would.
    [[nodiscard]] std::string pair_problem(const tls::Issued& pair,
                                           const std::string& ca_pem) const {
        const auto inspection =
            tls::inspect({pair.certificate_pem, pair.key_pem}, {{}, wishes_.now});
        if (inspection.is_refused()) {
            return all_refused(inspection);
        }
        for (const auto& name : names_) {
            if (auto believed = tls::believes({ca_pem, name, wishes_.now}, pair.certificate_pem);
                !believed) {
                return believed.error().message;
            }
        }
        return {};
    }

    /// Why the certificate that is there must be replaced; empty when it is good.
    [[nodiscard]] std::string leaf_problem(const std::string& ca_pem) const {
        if (!there_.chain || !there_.key) {
            return fmt::format("{} is missing", there_.chain ? "tls.key" : "tls.crt");
        }
        if (auto problem = pair_problem({*there_.chain, *there_.key}, ca_pem); !problem.empty()) {
            return problem;
        }
        const auto leaf = leaf_of(*there_.chain);
        return wishes_.now >= last_third(leaf)
                   ? fmt::format("less than a third of its life is left, until {}",
                                 tls::to_text(leaf.not_after))
                   : std::string{};
    }

    Expected<void> choose_leaf() {
        const auto& ca_pem = ca_ ? ca_->certificate_pem : *there_.ca;
        if (!there_.chain && !there_.key) {
            return make_leaf({});
        }
        const auto problem = leaf_problem(ca_pem);
        if (problem.empty()) {
            const auto leaf = leaf_of(*there_.chain);
            plan_.said.push_back(fmt::format("kept  {} and tls.key: good for {}, valid to {}",
                                             path("tls.crt"), names_.front(),
                                             tls::to_text(leaf.not_after)));
            plan_.renew_from = last_third(leaf);
            note_mode("tls.key", there_.key_mode);
            return {};
        }
        const bool is_ours = overwrite_leaf_ || (there_.chain && is_signed_by(ca_pem));
        if (!is_ours) {
            auto forced = needs_force(
                there_.chain ? fmt::format("{} was not signed by ca.crt, so it is not from here",
                                           path("tls.crt"))
                             : fmt::format("{} has no tls.crt beside it, and may be needed by "
                                           "somebody",
                                           path("tls.key")));
            if (!forced) {
                return forced;
            }
        }
        return make_leaf(plan_.has_new_ca ? "its CA is new" : problem);
    }

    Expected<void> make_leaf(const std::string& why) {
        auto made = tls::issue_leaf(
            {wishes_.service.name, names_, wishes_.now, wishes_.leaf_lifetime}, *ca_);
        if (!made) {
            return tl::unexpected(made.error());
        }
        const auto leaf = leaf_of(made->certificate_pem);
        if (auto problem = pair_problem(*made, ca_->certificate_pem); !problem.empty()) {
            return fail(Code::BadRequest,
                        fmt::format("what {} signs is not believed: {}", leaf.issuer, problem));
        }
        plan_.said.push_back(fmt::format(
            "made  {} and tls.key: good for {}, valid to {}{}", path("tls.crt"), names_.front(),
            tls::to_text(leaf.not_after), why.empty() ? "" : fmt::format(" ({})", why)));
        plan_.files.push_back({"tls.crt", std::move(made->certificate_pem), false});
        plan_.files.push_back({"tls.key", std::move(made->key_pem), true});
        plan_.renew_from = last_third(leaf);
        if (wishes_.now + wishes_.leaf_lifetime > leaf.not_after + std::chrono::seconds{1}) {
            plan_.notes.emplace_back("tls.crt ends with its CA, before --leaf-lifetime");
        }
        return {};
    }

    const IssuedFiles& there_;
    const IssueWishes& wishes_;
    std::vector<std::string> names_;
    std::optional<tls::Issued> ca_;  ///< that signs; nothing when its key is not here
    bool overwrite_leaf_ = false;    ///< whose it is was settled already
    IssuePlan plan_;
};

}  // namespace

Expected<IssuePlan> plan_issue(const IssuedFiles& there, const IssueWishes& wishes) {
    return Planner{there, wishes}.plan();
}

}  // namespace smw::cli
