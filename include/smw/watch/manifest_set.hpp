#pragma once
// What a folder of manifests says: file contents in, objects out. Pure but for read_folder(); one
// thread.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"
#include "smw/json/writer.hpp"
#include "smw/kube/meta.hpp"
#include "smw/watch/sink.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::watch {

/// Something in a folder that could not be read, or was read with a doubt.
struct Problem {
    std::string file;  ///< its name in the folder; empty: the folder itself
    int line = 0;      ///< from 1; 0: the whole file
    std::string reason;
    friend auto operator<=>(const Problem&, const Problem&) = default;
    friend bool operator==(const Problem&, const Problem&) = default;
};

/// "file:line: reason", for one line of output.
[[nodiscard]] std::string to_string(const Problem& problem);

/// Whether the object says that it is of that kind, apiVersion included.
[[nodiscard]] bool is_of(json::Value object, const Resource& resource);

/// The object with metadata.namespace "default" where it names none, as kubectl would create it.
/// An object without a metadata.name is BadRequest.
[[nodiscard]] Expected<json::Text> with_namespace(json::Value object);

/// Whether a file of that name is read: .yaml, .yml, .json, without a leading dot.
[[nodiscard]] bool is_manifest_name(std::string_view file_name);

/// A larger file is not read. YAML's tree costs about 20 times the text while it is parsed.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{64} << 20;

/// The last good content of each file, and which object of which file counts.
class ManifestSet {
public:
    /// Documents of other kinds are skipped.
    explicit ManifestSet(std::vector<Resource> resources);

    /// The file has this content now. All its documents are taken or, when it is broken, none: then
    /// what it held before stays, and the file is a problem until it is whole again.
    void put(const std::string& file, std::string_view content);
    /// The file is there and cannot be read: what it held before stays.
    void put_unreadable(const std::string& file, std::string_view reason);
    /// The file is gone, and its content with it.
    void erase(const std::string& file);

    /// Brings `sink` to what the files say about `resource`, by mark and sweep. Of one object in
    /// two files that of the later file name (by bytes) counts, in one file the later document.
    void apply(const Resource& resource, Sink& sink);

    /// Sorted by file and line: broken files, objects that a sink refused, objects said twice and
    /// not the same both times.
    [[nodiscard]] std::vector<Problem> problems() const;

private:
    struct Object {
        std::size_t resource = 0;  ///< index into resources_
        kube::ObjectKey key;
        json::Text text;
        int line = 1;
    };
    struct File {
        std::vector<Object> objects;
        std::optional<Problem> broken;
    };
    /// Where an object is said. Views files_.
    struct Place {
        const std::string* file = nullptr;
        const Object* object = nullptr;
    };
    using Identity = std::pair<std::size_t, kube::ObjectKey>;
    using Winners = std::map<Identity, Place>;

    [[nodiscard]] Expected<std::vector<Object>> read(std::string_view file,
                                                     std::string_view content) const;
    Expected<void> collect(json::Value object, int line, std::vector<Object>& objects) const;
    /// Of each object the place that counts.
    [[nodiscard]] Winners winners() const;

    std::vector<Resource> resources_;
    std::map<std::string, File> files_;                    ///< by bytes of the name
    std::map<std::string, std::vector<Problem>> refused_;  ///< by plural of the resource
};

/// Puts all manifests of a folder into `set`, once. A folder that cannot be read is an error.
Expected<void> read_folder(const std::filesystem::path& folder, ManifestSet& set);

}  // namespace smw::watch
