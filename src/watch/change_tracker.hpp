#pragma once
// When a file that changed may be read: once it has been quiet for a while, so that nobody sees it
// half-written. Pure; stepped with what a scan of the folder saw.

#include "smw/base/clock.hpp"
#include "watch/manifest_folder.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace smw::watch {

class ChangeTracker {
public:
    /// A change counts once the file has been as it is for this long.
    static constexpr Duration kQuiet = std::chrono::milliseconds{200};
    /// A file that never comes to rest is read all the same after this long, because a change shows
    /// within 2 s; and read again when it has come to rest.
    static constexpr Duration kPatience = std::chrono::milliseconds{1500};

    struct Ready {
        std::string file;
        bool restless = false;  ///< read because of kPatience
    };
    struct Step {
        std::vector<Ready> read;
        std::vector<std::string> gone;
        bool pending = false;  ///< look again soon
    };

    /// At the first step files that have been quiet by their own time stamps are ready at once.
    [[nodiscard]] Step step(const FolderState& seen, TimePoint now, WallTime wall);

    /// The file was written to while it was read: wait for it again.
    void read_failed(const std::string& file, TimePoint now);

    /// Whether every file of the last step was read at least once.
    [[nodiscard]] bool all_read() const;

private:
    struct Watched {
        std::optional<FileState> state;   ///< nothing: it is not there
        TimePoint since;                  ///< it is in that state
        std::optional<TimePoint> unread;  ///< since when it differs from what was read
        bool read = false;
    };

    Watched& look_at(const std::string& file, std::optional<FileState> state, TimePoint now);

    std::map<std::string, Watched> files_;
    bool first_ = true;
};

}  // namespace smw::watch
