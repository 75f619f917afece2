#include "smw/base/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace smw {

namespace {

constexpr std::size_t kStep = std::size_t{64} << 10;  ///< bytes of one read

std::string in_words(std::size_t bytes) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    return bytes >= kMebibyte ? fmt::format("{} MiB", bytes / kMebibyte)
                              : fmt::format("{} bytes", bytes);
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) {
        ::close(number_);
    }
}

std::string_view why_unreadable(mode_t mode) {
    if (S_ISDIR(mode)) {
        return "is a folder";
    }
    return S_ISREG(mode) ? "" : "is not a regular file";
}

Error system_error(int number) {
    return {number == ENOENT ? Code::NotFound : Code::BadRequest,
            std::generic_category().message(number)};
}

Expected<Descriptor> open_file(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a FIFO would wait for a writer.
    Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        return tl::unexpected(system_error(errno));
    }
    if (const auto why = why_unreadable(status.st_mode); !why.empty()) {
        return fail(Code::BadRequest, std::string{why});
    }
    return file;
}

/// Reads one byte more than is allowed, whatever the size was: a file may grow meanwhile.
Expected<std::string> read_to_end(const Descriptor& file, std::size_t most_bytes) {
    struct stat status {};
    std::string text;
    if (::fstat(file.get(), &status) == 0) {
        text.reserve(std::min(static_cast<std::size_t>(status.st_size), most_bytes) + kStep);
    }
    while (text.size() <= most_bytes) {
        const std::size_t had = text.size();
        text.resize(had + kStep);
        const auto got = ::read(file.get(), text.data() + had, kStep);
        const int error = got < 0 ? errno : 0;
        text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0) {
            return text;
        }
        if (error != 0 && error != EINTR) {
            return tl::unexpected(system_error(error));
        }
    }
    return fail(Code::TooLarge, fmt::format("is larger than {}", in_words(most_bytes)));
}

Expected<std::string> read_file(const std::filesystem::path& path, std::size_t most_bytes) {
    const auto file = open_file(path);
    if (!file) {
        return annotate(file.error(), path.string());
    }
    auto text = read_to_end(*file, most_bytes);
    if (!text) {
        return annotate(std::move(text).error(), path.string());
    }
    return text;
}

namespace {

/// 0, or the error number.
int write_all(const Descriptor& file, std::string_view content) {
    while (!content.empty()) {
        const auto written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        content.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return ::fsync(file.get()) == 0 ? 0 : errno;
}

/// 0, or the error number: a new file beside `path`, which then takes its place.
int write_beside(const std::filesystem::path& path, std::string_view content, mode_t mode) {
    // A name that nobody can have put there before.
    std::string beside = (path.parent_path() / ".new-XXXXXX").string();
    const Descriptor file{::mkostemp(beside.data(), O_CLOEXEC)};
    if (file.get() < 0) {
        return errno;
    }
    int error = ::fchmod(file.get(), mode) == 0 ? write_all(file, content) : errno;
    if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) {
        error = errno;
    }
    if (error != 0) {
        ::unlink(beside.c_str());
    }
    return error;
}

}  // namespace

Expected<void> write_file(const std::filesystem::path& path, std::string_view content,
                          mode_t mode) {
    if (const int error = write_beside(path, content, mode); error != 0) {
        return tl::unexpected(system_error(error));
    }
    return {};
}

}  // namespace smw
