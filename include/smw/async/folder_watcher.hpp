#pragma once
// Notices that a folder may have changed: inotify on the folder, and a poll because events get lost
// (and do not exist for the targets of links, or at all on some file systems).

#include "smw/async/task.hpp"
#include "smw/base/clock.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>

namespace smw::async {

/// Used from its executor's thread only. Says "look", never what changed: compare content.
class FolderWatcher {
public:
    /// A folder that does not exist (yet) is polled for.
    FolderWatcher(boost::asio::any_io_executor executor, std::filesystem::path folder,
                  Duration poll);
    ~FolderWatcher();
    FolderWatcher(const FolderWatcher&) = delete;
    FolderWatcher& operator=(const FolderWatcher&) = delete;

    /// Returns at the next event in the folder, or after the poll interval. Throws
    /// operation_aborted when cancelled.
    Task<void> wait();

private:
    struct Inotify;
    std::filesystem::path folder_;
    Duration poll_;
    std::shared_ptr<Inotify> inotify_;
};

}  // namespace smw::async
