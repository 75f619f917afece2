#pragma once
// A CheckpointBackup, projected to what decisions read. 100,000 of them may be held: one block of
// text, offsets into it.

#include "smw/base/clock.hpp"
#include "smw/json/document.hpp"
#include "smw/kube/meta.hpp"
#include "smw/watch/store.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smw::checkpoint_restore {

/// The kinds that spec.resourceRef may name, of group batch.
enum class ResourceKind : std::uint8_t { Job, CronJob };

[[nodiscard]] std::string_view to_string(ResourceKind kind);

/// An image that a backup has for a container. Views into its backup.
struct BackupImage {
    enum class From : std::uint8_t { SpecContainers, BuiltImages };

    std::string_view container;
    std::string_view reference;  ///< as it would be written into a pod, registry included
    From from = From::SpecContainers;
    bool pushed = false;
    bool valid = false;  ///< a reference that the kubelet takes
    friend bool operator==(const BackupImage&, const BackupImage&) = default;
};

/// Immutable, shared between threads. Only backups that may decide about anything exist: with a
/// readable resourceRef to the own namespace, and not being deleted.
class CheckpointBackup {
public:
    /// Read from an object; what is held of it in the end is `text` and `images`.
    struct Parts {
        std::string_view namespace_;
        std::string_view name;
        ResourceKind resource_kind = ResourceKind::Job;
        std::string_view resource_name;
        WallTime last_checkpoint_time = WallTime::min();  ///< absent: oldest
        WallTime creation_time = WallTime::min();         ///< absent: oldest
        std::vector<BackupImage> images;                  ///< in order of preference
    };
    explicit CheckpointBackup(const Parts& parts);
    CheckpointBackup(const CheckpointBackup&) = delete;
    CheckpointBackup& operator=(const CheckpointBackup&) = delete;

    [[nodiscard]] std::string_view namespace_() const { return {text_.get(), namespace_size_}; }
    [[nodiscard]] std::string_view name() const {
        return {text_.get() + namespace_size_, name_size_};
    }
    [[nodiscard]] watch::ObjectKeyView key() const { return {namespace_(), name()}; }
    [[nodiscard]] ResourceKind resource_kind() const { return resource_kind_; }
    [[nodiscard]] std::string_view resource_name() const {
        return {text_.get() + namespace_size_ + name_size_, resource_size_};
    }
    [[nodiscard]] WallTime last_checkpoint_time() const { return last_checkpoint_time_; }
    [[nodiscard]] WallTime creation_time() const { return creation_time_; }

    /// All images: by container name, then in order of preference.
    [[nodiscard]] std::size_t image_count() const { return images_.size(); }
    [[nodiscard]] BackupImage image(std::size_t index) const;
    /// Indices [first, second) of the images for one container, in order of preference.
    [[nodiscard]] std::pair<std::size_t, std::size_t> images_for(std::string_view container) const;

private:
    struct Image {
        std::uint32_t at = 0;  ///< in text_: container, then reference
        std::uint32_t container_size = 0;
        std::uint32_t reference_size = 0;
        BackupImage::From from = BackupImage::From::SpecContainers;
        bool pushed = false;
        bool valid = false;
    };
    [[nodiscard]] std::string_view container_of(const Image& image) const {
        return {text_.get() + image.at, image.container_size};
    }

    std::unique_ptr<char[]> text_;
    std::vector<Image> images_;
    WallTime last_checkpoint_time_;
    WallTime creation_time_;
    std::uint32_t namespace_size_;
    std::uint32_t name_size_;
    std::uint32_t resource_size_;
    ResourceKind resource_kind_;
};

struct BackupReading {
    std::shared_ptr<const CheckpointBackup> backup;  ///< null: it can decide about nothing
    std::vector<std::string> skipped;                ///< what was passed over, for the log
};

/// Tolerant: a CheckpointBackup is written by others, and one bad entry must not cost the rest.
[[nodiscard]] BackupReading read_checkpoint_backup(const kube::ObjectKey& key, json::Value object);

}  // namespace smw::checkpoint_restore
