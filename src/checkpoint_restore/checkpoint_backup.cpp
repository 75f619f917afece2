#include "checkpoint_restore/checkpoint_backup.hpp"

#include "smw/kube/image_reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>

namespace smw::checkpoint_restore {
namespace {

/// A string member; a mistyped one is as absent.
std::string_view text_at(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    return member ? member->string().value_or(std::string_view{}) : std::string_view{};
}

std::optional<WallTime> time_at(json::Value object, std::string_view key) {
    return kube::parse_time(text_at(object, key));
}

struct ResourceReference {
    ResourceKind kind = ResourceKind::Job;
    std::string_view name;
};

/// spec.resourceRef, when it names a Job or CronJob of group batch in the backup's own namespace:
/// one namespace must never decide about another.
std::optional<ResourceReference> read_resource_ref(json::Value spec, std::string_view namespace_) {
    const auto reference = spec.find("resourceRef");
    if (!reference || !reference->is_object()) {
        return std::nullopt;
    }
    const auto kind = text_at(*reference, "kind");
    const auto name = text_at(*reference, "name");
    const auto elsewhere = reference->find("namespace");
    // A namespace that cannot be read is as absent, as every mistyped field.
    const auto target =
        elsewhere ? elsewhere->string().value_or(std::string_view{}) : std::string_view{};
    if (name.empty() || kube::group_of(text_at(*reference, "apiVersion")) != "batch" ||
        (kind != "Job" && kind != "CronJob") || (!target.empty() && target != namespace_)) {
        return std::nullopt;
    }
    return ResourceReference{kind == "Job" ? ResourceKind::Job : ResourceKind::CronJob, name};
}

/// Collects the images of one backup. References are owned here, because the registry may have been
/// put before them.
class ImageReader {
public:
    ImageReader(std::string_view registry, std::vector<std::string>& skipped)
        : registry_(registry), skipped_(skipped) {}

    struct Image {
        std::string_view container;
        std::string reference;
        BackupImage::From from = BackupImage::From::SpecContainers;
        bool pushed = false;
        bool valid = false;
        WallTime built = WallTime::min();
    };

    /// spec.containers[] {name, image}: of two with one name the first counts.
    void read_containers(json::Value spec) {
        const auto list = list_at(spec, "containers", "spec.containers");
        if (!list) {
            return;
        }
        std::unordered_set<std::string_view> seen;
        std::size_t index = 0;
        for (const auto entry : list->items()) {
            if (auto image = read_entry(entry, "name", "image")) {
                if (seen.insert(image->container).second) {
                    images_.push_back(std::move(*image));
                }
            } else {
                skip("spec.containers", index, "name", "image");
            }
            ++index;
        }
    }

    /// status.builtImages[] {containerName, imageName, buildTime, pushed}: newest first, of the
    /// same time the later in the list first.
    void read_built_images(json::Value status) {
        const auto list = list_at(status, "builtImages", "status.builtImages");
        if (!list) {
            return;
        }
        std::vector<Image> built;
        std::size_t index = 0;
        for (const auto entry : list->items()) {
            if (auto image = read_entry(entry, "containerName", "imageName")) {
                const auto pushed = entry.find("pushed");
                image->from = BackupImage::From::BuiltImages;
                image->pushed = pushed && pushed->boolean().value_or(false);
                image->built = time_at(entry, "buildTime").value_or(WallTime::min());
                built.push_back(std::move(*image));
            } else {
                skip("status.builtImages", index, "containerName", "imageName");
            }
            ++index;
        }
        std::ranges::reverse(built);
        std::ranges::stable_sort(built, std::ranges::greater{}, &Image::built);
        std::ranges::move(built, std::back_inserter(images_));
    }

    [[nodiscard]] const std::vector<Image>& images() const { return images_; }

private:
    std::optional<json::Value> list_at(json::Value object, std::string_view key,
                                       std::string_view path) {
        const auto list = object.find(key);
        if (list && !list->is_array()) {
            skipped_.push_back(fmt::format("{} is not a list", path));
            return std::nullopt;
        }
        return list;
    }

    /// Nothing when the name or the image is missing, empty or mistyped.
    std::optional<Image> read_entry(json::Value entry, std::string_view name_key,
                                    std::string_view image_key) {
        const auto container = text_at(entry, name_key);
        const auto image = text_at(entry, image_key);
        if (container.empty() || image.empty()) {
            return std::nullopt;
        }
        Image read;
        read.container = container;
        read.reference = kube::with_registry(image, registry_);
        read.valid = kube::is_image_reference(read.reference);
        return read;
    }

    void skip(std::string_view list, std::size_t index, std::string_view name_key,
              std::string_view image_key) {
        skipped_.push_back(
            fmt::format("{}[{}] has no {} or no {}", list, index, name_key, image_key));
    }

    std::string_view registry_;
    std::vector<std::string>& skipped_;
    std::vector<Image> images_;
};

/// By container, without those that come after an image which every setting takes: nobody would
/// ever get to them, and a controller may keep a long history.
std::vector<BackupImage> reachable_by_container(const std::vector<ImageReader::Image>& all) {
    std::vector<BackupImage> images;
    std::unordered_set<std::string_view> settled;
    for (const auto& image : all) {
        if (settled.contains(image.container)) {
            continue;
        }
        images.push_back({image.container, image.reference, image.from, image.pushed, image.valid});
        if (image.valid && (image.pushed || image.from == BackupImage::From::SpecContainers)) {
            settled.insert(image.container);
        }
    }
    return images;
}

}  // namespace

std::string_view to_string(ResourceKind kind) {
    switch (kind) {
        case ResourceKind::Job:
            return "Job";
        case ResourceKind::CronJob:
            return "CronJob";
    }
    return "Job";
}

CheckpointBackup::CheckpointBackup(const Parts& parts)
    : last_checkpoint_time_(parts.last_checkpoint_time),
      creation_time_(parts.creation_time),
      namespace_size_(static_cast<std::uint32_t>(parts.namespace_.size())),
      name_size_(static_cast<std::uint32_t>(parts.name.size())),
      resource_size_(static_cast<std::uint32_t>(parts.resource_name.size())),
      resource_kind_(parts.resource_kind) {
    auto images = parts.images;
    std::ranges::stable_sort(images, std::ranges::less{}, &BackupImage::container);
    std::size_t size = namespace_size_ + name_size_ + resource_size_;
    for (const auto& image : images) {
        size += image.container.size() + image.reference.size();
    }
    text_ = std::make_unique_for_overwrite<char[]>(size);
    std::size_t at = 0;
    const auto append = [&](std::string_view piece) {
        std::ranges::copy(piece, text_.get() + at);
        at += piece.size();
    };
    append(parts.namespace_);
    append(parts.name);
    append(parts.resource_name);
    images_.reserve(images.size());
    for (const auto& image : images) {
        images_.push_back({static_cast<std::uint32_t>(at),
                           static_cast<std::uint32_t>(image.container.size()),
                           static_cast<std::uint32_t>(image.reference.size()), image.from,
                           image.pushed, image.valid});
        append(image.container);
        append(image.reference);
    }
}

BackupImage CheckpointBackup::image(std::size_t index) const {
    const Image& image = images_[index];
    const char* const reference = text_.get() + image.at + image.container_size;
    return {container_of(image),
            {reference, image.reference_size},
            image.from,
            image.pushed,
            image.valid};
}

std::pair<std::size_t, std::size_t> CheckpointBackup::images_for(std::string_view container) const {
    const auto first =
        std::ranges::lower_bound(images_, container, std::ranges::less{},
                                 [this](const Image& image) { return container_of(image); });
    auto last = first;
    while (last != images_.end() && container_of(*last) == container) {
        ++last;
    }
    return {static_cast<std::size_t>(first - images_.begin()),
            static_cast<std::size_t>(last - images_.begin())};
}

BackupReading read_checkpoint_backup(const kube::ObjectKey& key, json::Value object) {
    BackupReading reading;
    const auto metadata = object.find("metadata");
    const auto spec = object.find("spec");
    if (!metadata || !spec || !spec->is_object() || time_at(*metadata, "deletionTimestamp")) {
        return reading;
    }
    const auto resource = read_resource_ref(*spec, key.namespace_);
    if (!resource) {
        return reading;
    }
    const auto registry = spec->find("registry");
    ImageReader reader{registry ? text_at(*registry, "url") : std::string_view{}, reading.skipped};
    reader.read_containers(*spec);

    CheckpointBackup::Parts parts;
    if (const auto status = object.find("status"); status && status->is_object()) {
        reader.read_built_images(*status);
        parts.last_checkpoint_time =
            time_at(*status, "lastCheckpointTime").value_or(WallTime::min());
    }
    parts.namespace_ = key.namespace_;
    parts.name = key.name;
    parts.resource_kind = resource->kind;
    parts.resource_name = resource->name;
    parts.creation_time = time_at(*metadata, "creationTimestamp").value_or(WallTime::min());
    parts.images = reachable_by_container(reader.images());
    reading.backup = std::make_shared<const CheckpointBackup>(parts);
    return reading;
}

}  // namespace smw::checkpoint_restore
