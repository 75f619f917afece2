#include "checkpoint_restore/settings.hpp"

#include "smw/kube/meta.hpp"

#include <algorithm>

namespace smw::checkpoint_restore {
namespace {

constexpr std::string_view kGroup = "Checkpoint restore";

Expected<void> set_bool(bool& target, std::string_view text) {
    if (text != "true" && text != "false") {
        return fail(Code::BadRequest, "must be true or false");
    }
    target = text == "true";
    return {};
}

std::string_view without_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// RFC 1123 label, as the API server asks of a namespace: a list that names none would silently
/// turn the webhook off.
bool is_namespace_name(std::string_view name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= 63 && plain(name.front()) && plain(name.back()) &&
           std::ranges::all_of(name, [&](char c) { return plain(c) || c == '-'; });
}

Expected<void> set_namespaces(std::vector<std::string>& target, std::string_view text) {
    std::vector<std::string> names;
    for (std::size_t start = 0; !text.empty() && start <= text.size();) {
        const auto comma = std::min(text.find(',', start), text.size());
        const auto name = without_blanks(text.substr(start, comma - start));
        if (!is_namespace_name(name)) {
            return fail(Code::BadRequest, "must be a comma list of namespace names (a-z, 0-9, -)");
        }
        if (std::ranges::find(names, name) == names.end()) {
            names.emplace_back(name);  // each is watched by itself: twice would be once too often
        }
        start = comma + 1;
    }
    target = std::move(names);
    return {};
}

Expected<void> set_cronjob_match(CronJobMatch& target, std::string_view text) {
    if (text == "owner-or-name") {
        target = CronJobMatch::OwnerOrName;
    } else if (text == "owner") {
        target = CronJobMatch::Owner;
    } else if (text == "name") {
        target = CronJobMatch::Name;
    } else {
        return fail(Code::BadRequest, "must be owner-or-name, owner or name");
    }
    return {};
}

/// No review has longer (its deadline is 30 s at most), and what is added to a time cannot
/// overflow.
constexpr std::chrono::seconds kLongestBudget{30};

Expected<void> set_budget(Duration& target, std::string_view text) {
    const auto budget = kube::parse_duration(text);
    if (!budget) {
        return fail(Code::BadRequest, "must be a duration such as 200ms");
    }
    if (*budget <= Duration::zero() || *budget > kLongestBudget) {
        return fail(Code::BadRequest, "must be more than zero, and 30s at most");
    }
    target = *budget;
    return {};
}

Option row(std::string name, std::string type, std::string initial, std::string text) {
    Option option;
    option.name = std::move(name);
    option.group = kGroup;
    option.type = std::move(type);
    option.initial = std::move(initial);
    option.text = std::move(text);
    return option;
}

}  // namespace

bool Settings::decides_in(std::string_view namespace_) const {
    return namespaces.empty() || std::ranges::find(namespaces, namespace_) != namespaces.end();
}

Options deciding_options(Settings& settings) {
    Options options;
    options.push_back(row("namespaces", "list", "",
                          "Watch and decide only in these namespaces (comma list; empty: all)."));
    options.back().set = [&settings](std::string_view text) {
        return set_namespaces(settings.namespaces, text);
    };
    options.push_back(
        row("cronjob-match", "owner-or-name|owner|name", "owner-or-name",
            "How the CheckpointBackup of a CronJob finds the pods of its Jobs: by the "
            "Job's ownerReference and else by name, by one of them only."));
    options.back().set = [&settings](std::string_view text) {
        return set_cronjob_match(settings.cronjob_match, text);
    };
    options.push_back(row("require-pushed-images", "bool", "false",
                          "Pass over built images that were not pushed to a registry."));
    options.back().set = [&settings](std::string_view text) {
        return set_bool(settings.require_pushed_images, text);
    };
    options.push_back(row("annotate-restored", "bool", "false",
                          "Annotate restored pods with the name of their CheckpointBackup "
                          "(migration.dcnlab.com/restored-from)."));
    options.back().set = [&settings](std::string_view text) {
        return set_bool(settings.annotate_restored, text);
    };
    return options;
}

Options options_of(Settings& settings) {
    Options options = deciding_options(settings);
    options.push_back(row("api-lookup-budget", "duration", "200ms",
                          "Most time for the one question to the API server that a review may "
                          "need: which CronJob owns the pod's Job."));
    options.back().set = [&settings](std::string_view text) {
        return set_budget(settings.api_lookup_budget, text);
    };
    return options;
}

}  // namespace smw::checkpoint_restore
