#include "cli/certs_journal.hpp"

#include "smw/base/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace smw::cli {
namespace {

namespace fs = std::filesystem;

/// Of the folder in which files wait: then six letters, and kComplete when all are there.
constexpr std::string_view kWaiting = ".certs-issue-";
constexpr std::string_view kComplete = ".complete";
constexpr std::size_t kLetters = 6;

tl::unexpected<Error> cannot_write(const fs::path& path, int error) {
    return annotate(system_error(error), fmt::format("writing {}", path.string()));
}

void sync(const fs::path& folder) {
    const Descriptor descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (descriptor.get() >= 0) {
        ::fsync(descriptor.get());
    }
}

bool is_there(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

bool is_same_file(const fs::path& left, const fs::path& right) {
    struct stat one {};
    struct stat other {};
    return ::lstat(left.c_str(), &one) == 0 && ::lstat(right.c_str(), &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool is_complete(const std::string& name) {
    return name.ends_with(kComplete);
}

/// Best effort: what stays is removed by the next run.
void remove_folder(const fs::path& waiting) {
    std::error_code error;
    fs::remove_all(waiting, error);
}

/// A file on its way to its place.
struct Move {
    fs::path written;
    fs::path target;
    fs::path kept;  ///< what was there before, under another name; nothing there: nothing was
    bool done = false;
};

/// How one set of files gets to its places.
class Journal {
public:
    /// `waiting` is the folder in which they wait, in `folder`.
    Journal(fs::path folder, fs::path waiting, const std::vector<std::string>& names)
        : folder_(std::move(folder)), waiting_(std::move(waiting)) {
        for (const auto& name : names) {
            moves_.push_back({name, folder_ / name, folder_ / ("." + name + old_end(waiting_))});
        }
    }

    /// What the second names of files end with, beside this folder in which others wait.
    static std::string old_end(const fs::path& waiting) {
        const auto letters = waiting.filename().string().substr(kWaiting.size(), kLetters);
        return fmt::format(".{}.old", letters);
    }

    Expected<void> run() {
        const auto incomplete = waiting_;
        if (auto ready = complete(); !ready) {
            drop();
            return ready;
        }
        auto placed = place();
        if (placed) {
            end();
            return {};
        }
        // So that whoever comes next does not finish it.
        if (::rename(waiting_.c_str(), incomplete.c_str()) == 0) {
            waiting_ = incomplete;
        }
        return undo(std::move(placed.error()));
    }

    /// What a process that was killed had declared complete.
    Expected<void> finish() {
        if (!is_untouched()) {
            drop();
            return {};
        }
        if (auto placed = place(); !placed) {
            return placed;
        }
        end();
        return {};
    }

    /// Leaves what is in its place, and the second names of all that has no other.
    void drop() const {
        for (const auto& move : moves_) {
            if (is_same_file(move.kept, move.target)) {
                ::unlink(move.kept.c_str());
            }
        }
        remove_folder(waiting_);
    }

private:
    Expected<void> complete() {
        for (const auto& move : moves_) {
            if (auto kept = keep(move); !kept) {
                return kept;
            }
        }
        sync(waiting_);
        auto completed = waiting_;
        completed += kComplete;
        if (::rename(waiting_.c_str(), completed.c_str()) != 0) {
            return cannot_write(completed, errno);
        }
        waiting_ = std::move(completed);
        sync(folder_);
        return {};
    }

    static Expected<void> keep(const Move& move) {
        struct stat status {};
        if (::lstat(move.target.c_str(), &status) != 0) {
            return {};
        }
        if (S_ISDIR(status.st_mode)) {
            return cannot_write(move.target, EISDIR);
        }
        if (::link(move.target.c_str(), move.kept.c_str()) != 0) {
            return annotate(system_error(errno),
                            fmt::format("keeping what {} was under a second name (a hard link), "
                                        "until all is written",
                                        move.target.string()));
        }
        return {};
    }

    Expected<void> place() {
        for (auto& move : moves_) {
            const auto written = waiting_ / move.written;
            if (!is_there(written)) {
                continue;  // who was killed had come so far
            }
            if (::rename(written.c_str(), move.target.c_str()) != 0) {
                return cannot_write(move.target, errno);
            }
            move.done = true;
        }
        sync(folder_);
        return {};
    }

    /// What was there is there again; where that fails, it stays under its other name, for it may
    /// be the only copy of a key.
    tl::unexpected<Error> undo(Error error) const {
        for (const auto& move : moves_) {
            if (!move.done) {
                continue;
            }
            if (!is_there(move.kept)) {
                ::unlink(move.target.c_str());
            } else if (::rename(move.kept.c_str(), move.target.c_str()) != 0) {
                error.message += fmt::format("; {} could not be put back: what it was is in {}",
                                             move.target.string(), move.kept.string());
            }
        }
        drop();
        return tl::unexpected(std::move(error));
    }

    /// Whether all that still waits would replace what it was to replace.
    [[nodiscard]] bool is_untouched() const {
        return std::ranges::all_of(moves_, [&](const Move& move) {
            if (!is_there(waiting_ / move.written)) {
                return true;
            }
            return is_there(move.kept) ? is_same_file(move.kept, move.target)
                                       : !is_there(move.target);
        });
    }

    /// The second names first: without the folder nobody knows that they are of no use any more.
    void end() const {
        for (const auto& move : moves_) {
            ::unlink(move.kept.c_str());
        }
        remove_folder(waiting_);
        sync(folder_);
    }

    fs::path folder_;
    fs::path waiting_;
    std::vector<Move> moves_;
};

bool is_waiting(const std::string& name) {
    const auto size = kWaiting.size() + kLetters;
    return name.starts_with(kWaiting) &&
           (name.size() == size || (name.size() == size + kComplete.size() && is_complete(name)));
}

/// The names of the files that wait, or have second names.
std::vector<std::string> names_of(const fs::path& folder, const fs::path& waiting) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{waiting, error}) {
        names.push_back(entry.path().filename().string());
    }
    const auto end = Journal::old_end(waiting);
    for (const auto& entry : fs::directory_iterator{folder, error}) {
        const auto name = entry.path().filename().string();
        if (name.starts_with('.') && name.ends_with(end)) {
            names.push_back(name.substr(1, name.size() - end.size() - 1));
        }
    }
    return names;
}

}  // namespace

Expected<void> write_together(const fs::path& folder, const std::vector<NewFile>& files) {
    if (files.empty()) {
        return {};
    }
    auto waiting = (folder / fmt::format("{}XXXXXX", kWaiting)).string();
    if (::mkdtemp(waiting.data()) == nullptr) {
        return cannot_write(waiting, errno);
    }
    std::vector<std::string> names;
    for (const auto& file : files) {
        const auto mode = file.is_key ? kReadByOwner : kReadByAll;
        if (auto written = write_file(fs::path{waiting} / file.name, file.content, mode);
            !written) {
            remove_folder(waiting);
            return annotate(written.error(),
                            fmt::format("writing {}", (folder / file.name).string()));
        }
        names.push_back(file.name);
    }
    return Journal{folder, waiting, names}.run();
}

Expected<void> finish_writing(const fs::path& folder) {
    std::vector<fs::path> left;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{folder, error}) {
        if (is_waiting(entry.path().filename().string())) {
            left.push_back(entry.path());
        }
    }
    for (const auto& waiting : left) {
        Journal journal{folder, waiting, names_of(folder, waiting)};
        if (!is_complete(waiting.filename().string())) {
            journal.drop();
        } else if (auto finished = journal.finish(); !finished) {
            return annotate(finished.error(), "finishing what was begun before");
        }
    }
    return {};
}

}  // namespace smw::cli
