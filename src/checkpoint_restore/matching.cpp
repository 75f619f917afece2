#include "checkpoint_restore/matching.hpp"

#include <algorithm>

namespace smw::checkpoint_restore {

std::string_view to_string(Match match) {
    switch (match) {
        case Match::Direct:
            return "direct";
        case Match::Owner:
            return "owner";
        case Match::Name:
            return "name";
    }
    return "direct";
}

Obstacle obstacle(const BackupImage& image, const Settings& settings) {
    if (!image.valid) {
        return Obstacle::NotAReference;
    }
    if (settings.require_pushed_images && image.from == BackupImage::From::BuiltImages &&
        !image.pushed) {
        return Obstacle::NotPushed;
    }
    return Obstacle::None;
}

ImageChoice choose_image(const CheckpointBackup& backup, std::string_view container,
                         const Settings& settings) {
    ImageChoice choice;
    const auto [first, last] = backup.images_for(container);
    for (auto at = first; at != last; ++at) {
        const auto image = backup.image(at);
        if (obstacle(image, settings) == Obstacle::None) {
            choice.usable = image;
            break;
        }
        if (!choice.passed_over) {
            choice.passed_over = image;
        }
    }
    return choice;
}

Contender make_contender(const BackupIndex::Pointer& backup, Match match, const Pod& pod,
                         const Settings& settings) {
    const bool usable = std::ranges::any_of(pod.containers, [&](const Container& container) {
        return choose_image(*backup, container.name, settings).usable.has_value();
    });
    return {&backup, match, usable};
}

Comparison compare(const Contender& left, const Contender& right) {
    if (left.usable != right.usable) {
        return {left.usable, Difference::Usable};
    }
    if (left.match != right.match) {
        return {left.match < right.match, Difference::Match};
    }
    const CheckpointBackup& a = **left.backup;
    const CheckpointBackup& b = **right.backup;
    if (a.last_checkpoint_time() != b.last_checkpoint_time()) {
        return {a.last_checkpoint_time() > b.last_checkpoint_time(),
                Difference::LastCheckpointTime};
    }
    if (a.creation_time() != b.creation_time()) {
        return {a.creation_time() > b.creation_time(), Difference::CreationTime};
    }
    return {a.name() < b.name(), Difference::Name};
}

bool job_is_gone(const Pod& pod, const Owner& owner) {
    return owner.state == Owner::State::Gone ||
           (!owner.uid.empty() && !pod.job_uid.empty() && owner.uid != pod.job_uid);
}

CronJobSearch cronjob_search(const Pod& pod, const Owner& owner, CronJobMatch mode) {
    CronJobSearch search;
    if (mode == CronJobMatch::Name) {
        search.by_name = true;
        return search;
    }
    if (job_is_gone(pod, owner)) {
        return search;
    }
    switch (owner.state) {
        case Owner::State::NotAsked:
        case Owner::State::Gone:
            break;
        case Owner::State::Known:
            if (owner.cronjob) {
                search.by_owner = *owner.cronjob;
            } else {
                search.by_name = mode == CronJobMatch::OwnerOrName;
            }
            break;
        case Owner::State::Unanswered:
        case Owner::State::Refused:
            search.by_name = mode == CronJobMatch::OwnerOrName;
            search.only_digits_rest = true;
            break;
    }
    return search;
}

std::string_view matching_prefix(const BackupIndex& index, const Pod& pod,
                                 const CronJobSearch& search) {
    if (!search.by_name) {
        return {};
    }
    const auto name = index.cronjob_prefix(pod.namespace_, pod.job);
    if (name.empty() || !search.only_digits_rest) {
        return name;
    }
    const auto rest = pod.job.substr(name.size() + 1);
    const bool digits = std::ranges::all_of(rest, [](char c) { return c >= '0' && c <= '9'; });
    return digits ? name : std::string_view{};
}

}  // namespace smw::checkpoint_restore
