#pragma once
// Files that others write, read whole: certificates, tokens, kubeconfigs, manifests. Blocking, but
// never without end: not on a FIFO or a device, and never more than the caller can use. And files
// that others read, written whole.

#include "smw/base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace smw {

/// Closes what it holds.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    [[nodiscard]] int get() const { return number_; }

private:
    int number_;
};

/// Why nothing is read from a file of this kind (stat's st_mode): "is a folder", "is not a regular
/// file"; empty: it is read.
[[nodiscard]] std::string_view why_unreadable(mode_t mode);

/// The system's words for an error number: "Permission denied". NotFound when there is no such
/// file.
[[nodiscard]] Error system_error(int number);

/// A regular file, opened for reading. An error is a clause without the file's name.
[[nodiscard]] Expected<Descriptor> open_file(const std::filesystem::path& path);

/// From where `file` stands to its end. An error is a clause: "is larger than 16 MiB" (TooLarge).
[[nodiscard]] Expected<std::string> read_to_end(const Descriptor& file, std::size_t most_bytes);

/// Both. An error names the file: "/etc/ca.crt: No such file or directory" (NotFound).
[[nodiscard]] Expected<std::string> read_file(const std::filesystem::path& path,
                                              std::size_t most_bytes);

/// For everybody to read; keys are for their owner only.
inline constexpr mode_t kReadByAll = 0644;
inline constexpr mode_t kReadByOwner = 0600;

/// Makes the file, or replaces what is there, when all of it is on the disk: nobody ever reads half
/// of it, or sees it under another mode. What is a link is replaced, not followed. With an error
/// nothing has changed; it is a clause without the file's name: "No space left on device".
[[nodiscard]] Expected<void> write_file(const std::filesystem::path& path, std::string_view content,
                                        mode_t mode = kReadByAll);

}  // namespace smw
