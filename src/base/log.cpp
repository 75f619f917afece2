// Lines on stderr by way of spdlog's queue. Nothing of spdlog is registered globally.

#include "smw/base/log.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace smw::log {
namespace {

/// How long a reader that takes nothing may hold up the end of the process.
constexpr std::chrono::seconds kLastWords{2};
/// A pipe that is writable takes so much without blocking (POSIX: at least 512, Linux: 4,096).
constexpr std::size_t kChunk = 4096;

/// Writes to a descriptor that may be closed, full or a broken pipe. Used by spdlog's one thread.
class DescriptorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}

    /// From now on waiting for the reader ends at `deadline`. Any thread.
    void end_by(std::chrono::steady_clock::time_point deadline) {
        deadline_.store(deadline.time_since_epoch().count());
    }

    /// Lines that could not be written. Any thread.
    [[nodiscard]] std::uint64_t lost() const { return lost_.load(); }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        line_.assign(message.payload.data(), message.payload.size());
        line_ += '\n';
        if (!write_all(line_)) {
            lost_.fetch_add(1);
        }
    }

    void flush_() override {}

private:
    [[nodiscard]] bool write_all(std::string_view rest) {
        while (!rest.empty()) {
            if (!wait_until_writable()) {
                return false;
            }
            const auto written = ::write(descriptor_, rest.data(), std::min(rest.size(), kChunk));
            if (written < 0 && errno != EINTR && errno != EAGAIN) {
                return false;
            }
            rest.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
        }
        return true;
    }

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
    std::string line_;
    std::atomic<std::chrono::steady_clock::rep> deadline_{
        std::chrono::steady_clock::time_point::max().time_since_epoch().count()};
    std::atomic<std::uint64_t> lost_{0};
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
        : sink_(std::make_shared<DescriptorSink>(descriptor)),
          queue_(std::make_shared<spdlog::details::thread_pool>(std::max<std::size_t>(capacity, 1),
                                                                1, block_sigpipe)),
          logger_(std::make_shared<spdlog::async_logger>(
              "stderr", sink_, queue_, spdlog::async_overflow_policy::overrun_oldest)) {}

    /// Ending the queue writes what is in it.
    ~QueuedOutput() override {
        sink_->end_by(std::chrono::steady_clock::now() + kLastWords);
        queue_.reset();
    }

    void write(Level, std::string line) override {
        // As an argument: braces in a line are no format.
        logger_->log(spdlog::level::critical, spdlog::string_view_t{line.data(), line.size()});
    }

    [[nodiscard]] std::uint64_t dropped() const override {
        return queue_->overrun_counter() + sink_->lost();
    }

private:
    std::shared_ptr<DescriptorSink> sink_;
    std::shared_ptr<spdlog::details::thread_pool> queue_;
    std::shared_ptr<spdlog::async_logger> logger_;
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
