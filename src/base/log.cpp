// Lines on stderr by way of a bounded queue and a thread that writes many at once: a line costs who
// says it a lock, not a system call.

#include "smw/base/log.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace smw::log {
namespace {

/// How long a reader that takes nothing may hold up the end of the process.
constexpr std::chrono::seconds kLastWords{2};
/// A pipe that is writable takes so much without blocking (POSIX: at least 512, Linux: 4,096).
constexpr std::size_t kChunk = 4096;

/// Writes to a descriptor that may be closed, full or a broken pipe. Used by one thread.
class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}

    /// From now on waiting for the reader ends at `deadline`. Any thread.
    void end_by(std::chrono::steady_clock::time_point deadline) {
        deadline_.store(deadline.time_since_epoch().count());
    }

    /// What could not be written.
    std::string_view write(std::string_view rest) {
        while (!rest.empty() && wait_until_writable()) {
            const auto written = ::write(descriptor_, rest.data(), std::min(rest.size(), kChunk));
            if (written < 0 && errno != EINTR && errno != EAGAIN) {
                break;
            }
            rest.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
        }
        return rest;
    }

private:
    [[nodiscard]] bool wait_until_writable() const {
        constexpr int kSliceMillis = 100;  // how often end_by() is looked at
        while (true) {
            const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
            const bool is_late = now >= deadline_.load();
            pollfd state{descriptor_, POLLOUT, 0};
            const int ready = ::poll(&state, 1, is_late ? 0 : kSliceMillis);
            if (ready > 0) {
                return (state.revents & (POLLERR | POLLNVAL | POLLHUP)) == 0;
            }
            if (is_late || (ready < 0 && errno != EINTR)) {
                return false;
            }
        }
    }

    int descriptor_;
    std::atomic<std::chrono::steady_clock::rep> deadline_{
        std::chrono::steady_clock::time_point::max().time_since_epoch().count()};
};

/// A broken pipe raises SIGPIPE in the thread that writes: there it stays pending, and write()
/// says EPIPE. The rest of the process keeps its own mind about the signal.
void block_sigpipe() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

class QueuedOutput final : public Output {
public:
    QueuedOutput(int descriptor, std::size_t capacity)
        : capacity_(std::max<std::size_t>(capacity, 1)),
          descriptor_(descriptor),
          writer_([this] { run(); }) {}

    ~QueuedOutput() override {
        descriptor_.end_by(std::chrono::steady_clock::now() + kLastWords);
        {
            const std::lock_guard lock{mutex_};
            ending_ = true;
        }
        changed_.notify_one();
        writer_.join();
    }

    void write(Level, std::string line) override {
        bool wake = false;
        {
            const std::lock_guard lock{mutex_};
            if (lines_.size() == capacity_) {
                lines_.pop_front();
                dropped_.fetch_add(1, std::memory_order_relaxed);
            }
            lines_.push_back(std::move(line));
            wake = std::exchange(writer_waits_, false);
        }
        if (wake) {
            changed_.notify_one();
        }
    }

    [[nodiscard]] std::uint64_t dropped() const override {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    void run() {
        ::pthread_setname_np(::pthread_self(), "log-writer");
        block_sigpipe();
        std::string batch;
        while (take(batch)) {
            const auto unwritten = descriptor_.write(batch);
            const auto lost = std::count(unwritten.begin(), unwritten.end(), '\n');
            dropped_.fetch_add(static_cast<std::uint64_t>(lost), std::memory_order_relaxed);
        }
    }

    /// The oldest line and those that fit into one write with it; waits for one. False at the end.
    bool take(std::string& batch) {
        batch.clear();
        std::unique_lock lock{mutex_};
        while (lines_.empty() && !ending_) {
            writer_waits_ = true;
            changed_.wait(lock);
        }
        while (!lines_.empty() &&
               (batch.empty() || batch.size() + lines_.front().size() < kChunk)) {
            batch += lines_.front();
            batch += '\n';
            lines_.pop_front();
        }
        return !batch.empty();
    }

    const std::size_t capacity_;
    Descriptor descriptor_;
    std::atomic<std::uint64_t> dropped_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> lines_;
    bool writer_waits_ = false;
    bool ending_ = false;
    std::thread writer_;  // last: it uses all of the above
};

class NullOutput final : public Output {
public:
    void write(Level, std::string) override {}
    [[nodiscard]] std::uint64_t dropped() const override { return 0; }
};

}  // namespace

std::unique_ptr<Output> make_stderr_output(std::size_t capacity) {
    return make_descriptor_output(STDERR_FILENO, capacity);
}

std::unique_ptr<Output> make_descriptor_output(int descriptor, std::size_t capacity) {
    return std::make_unique<QueuedOutput>(descriptor, capacity);
}

std::unique_ptr<Output> make_null_output() {
    return std::make_unique<NullOutput>();
}

void Logger::write(Level level, std::string_view message, Fields fields) const {
    if (!enabled(level)) {
        return;
    }
    const Line line{std::chrono::system_clock::now(), level, component_, message, fields};
    output_->write(level, format_line(line, settings_.format));
}

}  // namespace smw::log
