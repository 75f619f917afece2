// A log line as text, JSON or logfmt. Pure.

#include "smw/base/log.hpp"
#include "smw/base/quote.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <vector>

namespace smw::log {
namespace {

constexpr std::string_view kCutMark = "…";
/// Most lines are shorter.
constexpr std::size_t kUsualBytes = 256;
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
void append_timestamp(std::string& out, std::chrono::system_clock::time_point time) {
    using std::chrono::system_clock;
    thread_local std::chrono::sys_seconds made_for{};
    thread_local std::string text;
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(millis);
    if (text.empty() || seconds != made_for) {
        text = fmt::format("{:%Y-%m-%dT%H:%M:%S}.", fmt::gmtime(system_clock::to_time_t(seconds)));
        made_for = seconds;
    }
    const auto fraction = static_cast<int>((millis - seconds).count());
    out += text;
    for (const int digit : {fraction / 100, fraction / 10 % 10, fraction % 10}) {
        out += static_cast<char>('0' + digit);
    }
    out += 'Z';
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

/// The keys of the fields, told apart by underscores from each other and from those `taken`: an
/// object with a key twice means another thing to every reader.
class DistinctKeys {
public:
    DistinctKeys(Fields fields, std::span<const std::string_view> taken) : fields_(fields) {
        if (!are_distinct(taken)) {
            tell_apart(taken);
        }
    }

    [[nodiscard]] std::string_view operator[](std::size_t index) const {
        return made_.empty() ? std::data(fields_)[index].key : std::string_view{made_[index]};
    }

private:
    /// As a rule: then none is copied.
    [[nodiscard]] bool are_distinct(std::span<const std::string_view> taken) const {
        for (auto field = fields_.begin(); field != fields_.end(); ++field) {
            const auto is_same = [key = field->key](const Field& other) {
                return other.key == key;
            };
            if (field->key.size() > kMaxFieldBytes ||
                std::find(taken.begin(), taken.end(), field->key) != taken.end() ||
                std::any_of(fields_.begin(), field, is_same)) {
                return false;
            }
        }
        return true;
    }

    void tell_apart(std::span<const std::string_view> taken) {
        for (const Field& field : fields_) {
            std::string key = cut(field.key);
            while (std::find(taken.begin(), taken.end(), key) != taken.end() ||
                   std::find(made_.begin(), made_.end(), key) != made_.end()) {
                key += '_';
            }
            made_.push_back(std::move(key));
        }
    }

    Fields fields_;
    std::vector<std::string> made_;
};

/// Text between the tabs: a JSON string's inside, so that neither tab nor newline can be forged.
void append_column(std::string& out, std::string_view text) {
    const bool is_plain = std::all_of(text.begin(), text.end(), [](char character) {
        return character >= ' ' && character < '\x7F';
    });
    if (is_plain && text.size() <= kMaxFieldBytes) {
        out += text;
        return;
    }
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
    std::string out;
    out.reserve(kUsualBytes);
    append_timestamp(out, line.time);
    out += '\t';
    out += upper_name(line.level);
    out += '\t';
    append_column(out, line.logger);
    out += '\t';
    append_column(out, line.message);
    if (line.fields.size() == 0) {
        return out;
    }
    const DistinctKeys keys{line.fields, {}};
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
    std::string out;
    out.reserve(kUsualBytes);
    out += R"({"time":")";
    append_timestamp(out, line.time);
    out += R"(","level":")";
    out += lower_name(line.level);
    out += R"(","logger":)";
    append_text(out, line.logger);
    out += R"(,"message":)";
    append_text(out, line.message);
    const DistinctKeys keys{line.fields, kOwnKeys};
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
    std::string out = "time=";
    append_timestamp(out, line.time);
    out += " level=";
    out += lower_name(line.level);
    out += " logger=";
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
