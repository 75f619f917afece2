#include "checkpoint_restore/explain.hpp"

#include "checkpoint_restore/restore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace smw::checkpoint_restore {
namespace {

std::string_view describe_loss(Difference difference) {
    switch (difference) {
        case Difference::Usable:
            return "has no usable image for this pod's containers";
        case Difference::Match:
            return "another one matches more surely";
        case Difference::LastCheckpointTime:
            return "another one has a later status.lastCheckpointTime";
        case Difference::CreationTime:
            return "another one was created later";
        case Difference::Name:
            return "another one has a smaller name";
    }
    return "";
}

std::vector<OfferedImage> offered_images(const CheckpointBackup& backup, const Pod& pod,
                                         const Settings& settings) {
    std::vector<OfferedImage> images;
    for (const auto& container : pod.containers) {
        const auto [first, last] = backup.images_for(container.name);
        for (auto at = first; at != last; ++at) {
            const auto image = backup.image(at);
            const auto reason = obstacle(image, settings);
            OfferedImage offered;
            offered.container = image.container;
            offered.image = image.reference;
            offered.from = image.from == BackupImage::From::SpecContainers ? "spec.containers"
                                                                           : "status.builtImages";
            offered.usable = reason == Obstacle::None;
            offered.why = describe(reason);
            images.push_back(std::move(offered));
        }
    }
    return images;
}

std::vector<std::string> unknown_containers(const CheckpointBackup& backup, const Pod& pod) {
    std::vector<std::string> unknown;
    for (std::size_t at = 0; at < backup.image_count(); ++at) {
        const auto name = backup.image(at).container;
        const bool known =
            std::ranges::find(pod.containers, name, &Container::name) != pod.containers.end();
        if (!known && (unknown.empty() || unknown.back() != name)) {
            unknown.emplace_back(name);
        }
    }
    return unknown;
}

Candidate describe_candidate(const CheckpointBackup& backup, const Pod& pod,
                             const Settings& settings) {
    Candidate candidate;
    candidate.name = backup.name();
    candidate.resource =
        fmt::format("{} {}", to_string(backup.resource_kind()), backup.resource_name());
    candidate.images = offered_images(backup, pod, settings);
    candidate.unknown_containers = unknown_containers(backup, pod);
    return candidate;
}

/// Why the backup of a CronJob whose name is a prefix of the Job's does not match.
std::string describe_prefix(std::string_view counting, const Pod& pod, const Owner& owner,
                            const Settings& settings) {
    if (!counting.empty()) {
        return fmt::format("the longer CronJob name {} counts", counting);
    }
    if (job_is_gone(pod, owner)) {
        return "the Job is gone";
    }
    if (settings.cronjob_match == CronJobMatch::Owner) {
        return "matching by name is turned off";
    }
    switch (owner.state) {
        case Owner::State::NotAsked:
            return "a direct match has a usable image, so the Job's owner was not asked for";
        case Owner::State::Known:
            return owner.cronjob ? fmt::format("the Job belongs to CronJob {}", *owner.cronjob)
                                 : std::string{};
        case Owner::State::Gone:
            break;
        case Owner::State::Unanswered:
        case Owner::State::Refused:
            return "the Job's owner is unknown, and a CronJob appends digits only";
    }
    return {};
}

void append_prefixes(const Pod& pod, const BackupIndex& index, const Owner& owner,
                     const Settings& settings, std::vector<Candidate>& candidates) {
    const auto search = cronjob_search(pod, owner, settings.cronjob_match);
    const auto counting = matching_prefix(index, pod, search);
    auto name = index.cronjob_prefix(pod.namespace_, pod.job);
    for (; !name.empty(); name = index.cronjob_prefix(pod.namespace_, pod.job, name.size())) {
        if (name == counting || name == search.by_owner) {
            continue;  // these match, and are listed already
        }
        const ResourceKey key{pod.namespace_, ResourceKind::CronJob, name};
        const auto first = static_cast<std::ptrdiff_t>(candidates.size());
        for (const auto& backup : index.referring_to(key)) {
            candidates.push_back(describe_candidate(*backup, pod, settings));
            candidates.back().why = describe_prefix(counting, pod, owner, settings);
        }
        std::sort(candidates.begin() + first, candidates.end(),
                  [](const Candidate& a, const Candidate& b) { return a.name < b.name; });
    }
}

}  // namespace

std::vector<Candidate> explain(const Pod& pod, const BackupIndex& index, const Owner& owner,
                               const Settings& settings) {
    std::vector<Contender> contenders;
    const auto collect = [&](const BackupIndex::Pointer& backup, Match match) {
        contenders.push_back(make_contender(backup, match, pod, settings));
    };
    visit_direct(index, pod, collect);
    visit_cronjobs(index, pod, cronjob_search(pod, owner, settings.cronjob_match), collect);
    std::ranges::sort(contenders, [](const Contender& left, const Contender& right) {
        return compare(left, right).better;
    });
    std::vector<Candidate> candidates;
    for (const auto& contender : contenders) {
        auto candidate = describe_candidate(**contender.backup, pod, settings);
        candidate.match = to_string(contender.match);
        if (candidates.empty()) {
            candidate.why = contender.usable ? "" : describe_loss(Difference::Usable);
        } else {
            candidate.why = describe_loss(compare(contenders.front(), contender).difference);
        }
        candidates.push_back(std::move(candidate));
    }
    append_prefixes(pod, index, owner, settings, candidates);
    return candidates;
}

}  // namespace smw::checkpoint_restore
