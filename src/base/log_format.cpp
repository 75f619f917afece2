// A log line as text, JSON or logfmt. Pure.

#include "smw/base/log.hpp"
#include "smw/base/quote.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace smw::log {
namespace {

constexpr std::string_view kCutMark = "…";
constexpr std::array<std::string_view, 4> kOwnKeys{"time", "level", "logger", "message"};

std::string_view upper_name(Level level) {
    switch (level) {
        case Level::Debug:
            return "DEBUG";
        case Level::Info:
            return "INFO";
        case Level::Warn:
            return "WARN";
        case Level::Error:
            return "ERROR";
    }
    return "ERROR";
}

std::string_view lower_name(Level level) {
    switch (level) {
        case Level::Debug:
            return "debug";
        case Level::Info:
            return "info";
        case Level::Warn:
            return "warn";
        case Level::Error:
            return "error";
    }
    return "error";
}

/// RFC 3339 in UTC with milliseconds. The text of a second is kept for the lines of that second on
/// the same thread: to make it costs as much as the rest of a line.
std::string timestamp(std::chrono::system_clock::time_point time) {
    using std::chrono::system_clock;
    thread_local std::chrono::sys_seconds made_for{};
    thread_local std::string text;
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(millis);
    if (text.empty() || seconds != made_for) {
        text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(system_clock::to_time_t(seconds)));
        made_for = seconds;
    }
    return fmt::format("{}.{:03}Z", text, (millis - seconds).count());
}

/// `text`, or what fits into kMaxFieldBytes of it with a mark, never ending inside a character.
std::string cut(std::string_view text) {
    if (text.size() <= kMaxFieldBytes) {
        return std::string{text};
    }
    std::size_t end = kMaxFieldBytes - kCutMark.size();
    for (std::size_t back = 0; back < 3; ++back) {
        // A whole character that begins within the last three bytes and ends behind them is left
        // out.
        const std::size_t begin = end - back - 1;
        const std::size_t length = utf8_sequence_length(text.substr(begin, 4));
        if (length > back + 1) {
            end = begin;
            break;
        }
    }
    return fmt::format("{}{}", text.substr(0, end), kCutMark);
}

void append_text(std::string& out, std::string_view text) {
    if (text.size() <= kMaxFieldBytes) {
        append_quoted(out, text);
    } else {
        append_quoted(out, cut(text));
    }
}

/// Numbers and booleans as JSON writes them.
void append_value(std::string& out, const Field& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        append_text(out, *text);
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        out += fmt::format_int{*number}.str();
    } else {
        out += std::get<bool>(field.value) ? "true" : "false";
    }
}

/// The keys of the fields, told apart by underscores from each other and from `taken`: an object
/// with a key twice means another thing to every reader.
std::vector<std::string> distinct_keys(Fields fields, std::vector<std::string> taken) {
    const std::size_t own = taken.size();
    taken.reserve(own + fields.size());
    for (const Field& field : fields) {
        std::string key = cut(field.key);
        while (std::find(taken.begin(), taken.end(), key) != taken.end()) {
            key += '_';
        }
        taken.push_back(std::move(key));
    }
    taken.erase(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(own));
    return taken;
}

/// Text between the tabs: a JSON string's inside, so that neither tab nor newline can be forged.
void append_column(std::string& out, std::string_view text) {
    std::string quoted;
    append_text(quoted, text);
    // Quotation marks and backslashes are harmless here, and a message reads better without \".
    for (std::size_t at = 1; at + 1 < quoted.size(); ++at) {
        if (quoted[at] == '\\' && (quoted[at + 1] == '"' || quoted[at + 1] == '\\')) {
            ++at;
        }
        out += quoted[at];
    }
}

std::string format_text(const Line& line) {
    std::string out = fmt::format("{}\t{}\t", timestamp(line.time), upper_name(line.level));
    append_column(out, line.logger);
    out += '\t';
    append_column(out, line.message);
    if (line.fields.size() == 0) {
        return out;
    }
    const std::vector<std::string> keys = distinct_keys(line.fields, {});
    std::string_view separator = "\t{";
    std::size_t index = 0;
    for (const Field& field : line.fields) {
        out += separator;
        append_quoted(out, keys[index++]);
        out += ": ";
        append_value(out, field);
        separator = ", ";
    }
    out += '}';
    return out;
}

std::string format_json(const Line& line) {
    std::string out = fmt::format(R"({{"time":"{}","level":"{}","logger":)", timestamp(line.time),
                                  lower_name(line.level));
    append_text(out, line.logger);
    out += R"(,"message":)";
    append_text(out, line.message);
    const std::vector<std::string> keys =
        distinct_keys(line.fields, {kOwnKeys.begin(), kOwnKeys.end()});
    std::size_t index = 0;
    for (const Field& field : line.fields) {
        out += ',';
        append_quoted(out, keys[index++]);
        out += ':';
        append_value(out, field);
    }
    out += '}';
    return out;
}

/// A bare logfmt word: printable ASCII without blank, `=`, `"` and backslash.
bool is_bare(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char character) {
        return character > ' ' && character < '\x7F' && character != '=' && character != '"' &&
               character != '\\';
    });
}

/// logfmt has no quoted keys: what is not bare becomes `_`.
std::string bare_key(std::string_view key) {
    std::string out;
    for (const char character : key) {
        out += is_bare({&character, 1}) ? character : '_';
    }
    return out.empty() ? "_" : out;
}

void append_logfmt_text(std::string& out, std::string_view text) {
    if (is_bare(text) && text.size() <= kMaxFieldBytes) {
        out += text;
    } else {
        append_text(out, text);
    }
}

std::string format_logfmt(const Line& line) {
    std::string out =
        fmt::format("time={} level={} logger=", timestamp(line.time), lower_name(line.level));
    append_logfmt_text(out, line.logger);
    out += " message=";
    append_logfmt_text(out, line.message);
    std::vector<std::string> taken{kOwnKeys.begin(), kOwnKeys.end()};
    for (const Field& field : line.fields) {
        std::string key = bare_key(cut(field.key));
        while (std::find(taken.begin(), taken.end(), key) != taken.end()) {
            key += '_';
        }
        out += fmt::format(" {}=", key);
        taken.push_back(std::move(key));
        if (const auto* text = std::get_if<std::string_view>(&field.value)) {
            append_logfmt_text(out, *text);
        } else {
            append_value(out, field);
        }
    }
    return out;
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
    for (const Level level : {Level::Debug, Level::Info, Level::Warn, Level::Error}) {
        if (text == lower_name(level)) {
            return level;
        }
    }
    return std::nullopt;
}

std::optional<Format> parse_format(std::string_view text) {
    if (text == "text") {
        return Format::Text;
    }
    if (text == "json") {
        return Format::Json;
    }
    return text == "logfmt" ? std::optional{Format::Logfmt} : std::nullopt;
}

std::string format_line(const Line& line, Format format) {
    switch (format) {
        case Format::Text:
            return format_text(line);
        case Format::Json:
            return format_json(line);
        case Format::Logfmt:
            return format_logfmt(line);
    }
    return format_text(line);
}

}  // namespace smw::log
