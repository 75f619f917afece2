#include "smw/async/folder_watcher.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <sys/inotify.h>

namespace smw::async {

namespace asio = boost::asio;

struct FolderWatcher::Inotify {
    explicit Inotify(const asio::any_io_executor& executor)
        : descriptor(executor), timer(executor) {
        const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd >= 0) {
            descriptor.assign(fd);
            descriptor.non_blocking(true);  // else a read waits, whatever the flag of the fd
        }
    }

    /// Adding a folder that is watched already is no change, so this may run before every wait: it
    /// also finds a folder that was made, or made anew, since.
    void watch(const std::filesystem::path& folder) {
        if (descriptor.is_open()) {
            ::inotify_add_watch(descriptor.native_handle(), folder.c_str(),
                                IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_FROM |
                                    IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF);
        }
    }

    /// Forgets what was reported: one look at the folder answers all of it.
    void stop_waiting() {
        if (!descriptor.is_open()) {
            return;
        }
        std::array<char, 4096> events{};
        boost::system::error_code error;
        descriptor.cancel(error);
        while (!error) {
            descriptor.read_some(asio::buffer(events), error);
        }
    }

    asio::posix::stream_descriptor descriptor;
    asio::steady_timer timer;
};

namespace {

/// However the wait ends, nothing of it stays behind: a pending operation would keep its own
/// descriptor alive.
template <class Inotify>
class Waiting {
public:
    explicit Waiting(Inotify& inotify) : inotify_(inotify) {}
    ~Waiting() { inotify_.stop_waiting(); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

private:
    Inotify& inotify_;
};

}  // namespace

FolderWatcher::FolderWatcher(asio::any_io_executor executor, std::filesystem::path folder,
                             Duration poll)
    : folder_(std::move(folder)), poll_(poll), inotify_(std::make_shared<Inotify>(executor)) {
    inotify_->watch(folder_);
}

FolderWatcher::~FolderWatcher() = default;

Task<void> FolderWatcher::wait() {
    inotify_->watch(folder_);
    const Waiting waiting{*inotify_};
    // The timer is what is awaited; an event cuts it short. The handler shares the ownership: it
    // may run after this coroutine, and this object, have gone.
    inotify_->timer.expires_after(poll_);
    if (inotify_->descriptor.is_open()) {
        auto on_event = [inotify = inotify_](boost::system::error_code error) {
            if (!error) {
                inotify->timer.cancel();
            }
        };
        inotify_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                        std::move(on_event));
    }
    boost::system::error_code ended;
    co_await inotify_->timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error{asio::error::operation_aborted};
    }
}

}  // namespace smw::async
