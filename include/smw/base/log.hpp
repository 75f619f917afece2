#pragma once
// Structured log lines on stderr. A Logger is a cheap value with a component name; writing formats
// the line on the caller's thread and hands it to a bounded queue, so that a request never waits
// for a terminal. When the queue is full the oldest line goes, and is counted.
// Never log objects, tokens, Secret data or registry credentials.

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace smw::log {

enum class Level { Debug, Info, Warn, Error };
enum class Format { Text, Json, Logfmt };

[[nodiscard]] std::optional<Level> parse_level(std::string_view text);
[[nodiscard]] std::optional<Format> parse_format(std::string_view text);

/// Views must live until the call returns. Strings are escaped, and cut at kMaxFieldBytes.
struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, bool> value;
};
using Fields = std::initializer_list<Field>;
inline constexpr std::size_t kMaxFieldBytes = 8192;

struct Line {
    std::chrono::system_clock::time_point time;
    Level level = Level::Info;
    std::string_view logger;
    std::string_view message;
    Fields fields;
};

/// Pure: the text of one line, without the newline.
/// Text: timestamp TAB LEVEL TAB logger TAB message TAB {"key": "value", ...}
[[nodiscard]] std::string format_line(const Line& line, Format format);

/// Where finished lines go. Thread-safe.
class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    virtual ~Output() = default;

    virtual void write(Level level, std::string line) = 0;
    /// Lines that were dropped because the queue was full or nobody could take them.
    [[nodiscard]] virtual std::uint64_t dropped() const = 0;
};

/// stderr behind a queue of `capacity` lines and a thread of its own; the destructor writes what is
/// queued, and gives up on a reader that takes nothing for 2 s.
[[nodiscard]] std::unique_ptr<Output> make_stderr_output(std::size_t capacity = 8192);
/// The same for another descriptor, which stays open as long as the Output lives.
[[nodiscard]] std::unique_ptr<Output> make_descriptor_output(int descriptor, std::size_t capacity);
/// Drops everything: for tests and offline commands.
[[nodiscard]] std::unique_ptr<Output> make_null_output();

struct Settings {
    Level level = Level::Info;
    Format format = Format::Text;
};

/// Copyable; `output` outlives it. Thread-safe.
class Logger {
public:
    Logger(std::string component, Settings settings, Output& output)
        : component_(std::move(component)), settings_(settings), output_(&output) {}

    /// The same output under another component name.
    [[nodiscard]] Logger named(std::string component) const {
        return Logger{std::move(component), settings_, *output_};
    }

    [[nodiscard]] bool enabled(Level level) const { return level >= settings_.level; }

    void debug(std::string_view message, Fields fields = {}) const {
        write(Level::Debug, message, fields);
    }
    void info(std::string_view message, Fields fields = {}) const {
        write(Level::Info, message, fields);
    }
    void warn(std::string_view message, Fields fields = {}) const {
        write(Level::Warn, message, fields);
    }
    void error(std::string_view message, Fields fields = {}) const {
        write(Level::Error, message, fields);
    }
    void write(Level level, std::string_view message, Fields fields) const;

private:
    std::string component_;
    Settings settings_;
    Output* output_;
};

}  // namespace smw::log
