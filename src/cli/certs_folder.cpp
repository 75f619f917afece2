#include "cli/certs_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace smw::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

Expected<std::optional<std::string>> read_one(const fs::path& path) {
    auto text = read_file(path, kMostBytes);
    if (text) {
        return std::optional{std::move(*text)};
    }
    if (text.error().code == Code::NotFound) {
        return std::nullopt;
    }
    return tl::unexpected(text.error());
}

tl::unexpected<Error> cannot_write(const fs::path& path, int error) {
    return annotate(system_error(error), fmt::format("writing {}", path.string()));
}

/// Everything that still has to be told to the disk, in a file that nobody looks at.
Expected<fs::path> write_beside(const fs::path& folder, const NewFile& file) {
    const auto target = folder / file.name;
    auto name = (folder / fmt::format(".{}.XXXXXX", file.name)).string();
    const Descriptor descriptor{::mkostemp(name.data(), O_CLOEXEC)};
    if (descriptor.get() < 0) {
        return cannot_write(target, errno);
    }
    constexpr mode_t kOwner = 0600;
    constexpr mode_t kAll = 0644;
    bool good = ::fchmod(descriptor.get(), file.is_key ? kOwner : kAll) == 0;
    for (std::string_view left = file.content; good && !left.empty();) {
        const auto written = ::write(descriptor.get(), left.data(), left.size());
        good = written > 0 || errno == EINTR;
        left.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    if (!good || ::fsync(descriptor.get()) != 0) {
        const int error = errno;
        ::unlink(name.c_str());
        return cannot_write(target, error);
    }
    return fs::path{name};
}

/// A file on its way to its place.
struct Move {
    fs::path written;
    fs::path target;
    fs::path kept;  ///< what was there before, under another name; empty: nothing was
    bool done = false;
};

/// Whether the target is as it was before.
bool undo(const Move& move) {
    if (!move.done) {
        return true;
    }
    return move.kept.empty() ? ::unlink(move.target.c_str()) == 0
                             : ::rename(move.kept.c_str(), move.target.c_str()) == 0;
}

void remove_traces(const Move& move) {
    ::unlink(move.written.c_str());
    if (!move.kept.empty()) {
        ::unlink(move.kept.c_str());
    }
}

/// What was there is there again; where that fails, it stays under its other name, for it may be
/// the only copy of a key.
tl::unexpected<Error> undo(const std::vector<Move>& moves, Error error) {
    for (const auto& move : moves) {
        if (undo(move)) {
            remove_traces(move);
        } else if (!move.kept.empty()) {
            error.message += fmt::format("; {} could not be put back: what it was is in {}",
                                         move.target.string(), move.kept.string());
        }
    }
    return tl::unexpected(std::move(error));
}

Expected<void> put_in_place(Move& move) {
    struct stat status {};
    if (::lstat(move.target.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            return cannot_write(move.target, EISDIR);
        }
        auto kept = move.written;
        kept += ".old";
        if (::link(move.target.c_str(), kept.c_str()) != 0) {
            return cannot_write(move.target, errno);
        }
        move.kept = std::move(kept);
    }
    if (::rename(move.written.c_str(), move.target.c_str()) != 0) {
        return cannot_write(move.target, errno);
    }
    move.done = true;
    return {};
}

}  // namespace

Expected<IssueFolder> IssueFolder::open(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
        return fail(Code::BadRequest,
                    fmt::format("making the folder {}: {}", path.string(), error.message()));
    }
    Descriptor lock{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (lock.get() < 0) {
        return annotate(system_error(errno), fmt::format("opening the folder {}", path.string()));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(Code::Conflict,
                    fmt::format("another process is issuing certificates in {}", path.string()));
    }
    return IssueFolder{path, std::move(lock)};
}

Expected<IssuedFiles> IssueFolder::read() const {
    IssuedFiles files;
    using Entry = std::pair<const char*, std::optional<std::string>&>;
    for (const auto& [name, target] :
         {Entry{"ca.crt", files.ca}, Entry{"ca.key", files.ca_key}, Entry{"tls.crt", files.chain},
          Entry{"tls.key", files.key}}) {
        auto text = read_one(path_ / name);
        if (!text) {
            return tl::unexpected(text.error());
        }
        target = std::move(*text);
    }
    return files;
}

Expected<void> IssueFolder::write(const std::vector<NewFile>& files) const {
    std::vector<Move> moves;
    for (const auto& file : files) {
        auto written = write_beside(path_, file);
        if (!written) {
            return undo(moves, written.error());
        }
        moves.push_back({std::move(*written), path_ / file.name, {}, false});
    }
    for (auto& move : moves) {
        if (auto placed = put_in_place(move); !placed) {
            return undo(moves, placed.error());
        }
    }
    std::ranges::for_each(moves, remove_traces);
    ::fsync(lock_.get());
    return {};
}

}  // namespace smw::cli
