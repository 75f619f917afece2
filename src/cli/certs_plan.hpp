#pragma once
// What `certs issue` makes, keeps and refuses to overwrite, given what is there. Pure but for
// randomness.

#include "cli/certs_folder.hpp"
#include "smw/base/clock.hpp"
#include "smw/tls/issue.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace smw::cli {

struct IssueWishes {
    std::string folder;  ///< for messages
    tls::ServiceAddress service;
    std::vector<std::string> extra_names{};  ///< beside those of the Service
    std::chrono::seconds leaf_lifetime = std::chrono::hours{7 * 24};
    std::chrono::seconds ca_lifetime = std::chrono::hours{365 * 24};
    std::optional<tls::Issued> signer;  ///< of --ca: signs instead of one in the folder
    bool force = false;                 ///< overwrite what is not from here
    WallTime now;
};

struct IssuePlan {
    std::vector<NewFile> files;      ///< in the order in which they are put in place
    std::vector<std::string> said;   ///< what is made or kept, and why: a line each
    std::vector<std::string> notes;  ///< what to look at
    bool has_new_ca = false;
    WallTime renew_from;  ///< from when on the same command makes a new certificate
};

/// A CA or certificate that is good is kept. A certificate is replaced when it is of the CA that is
/// there and not good, or has less than a third of its life left; a CA of which we have the key,
/// when it has expired. An error says what else is there, that only --force overwrites.
[[nodiscard]] Expected<IssuePlan> plan_issue(const IssuedFiles& there, const IssueWishes& wishes);

}  // namespace smw::cli
