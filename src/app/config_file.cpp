#include "app/config_file.hpp"

#include "smw/app/nearest.hpp"
#include "smw/app/text_file.hpp"
#include "smw/json/document.hpp"
#include "smw/json/yaml.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::app {
namespace {

/// A hundred keys are a few KiB; more is no configuration.
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

/// A scalar as its text; nothing for lists and maps.
std::optional<std::string> scalar(json::Value value) {
    switch (value.kind()) {
        case json::Kind::String:
            return std::string{*value.string()};
        case json::Kind::Boolean:
        case json::Kind::Number:
            return value.text();
        case json::Kind::Null:
        case json::Kind::Array:
        case json::Kind::Object:
            break;
    }
    return std::nullopt;
}

/// The line where a key of the flat map stands, from 1; 0 when it is written in a way that a plain
/// search does not see (escapes in quotes).
int line_of_key(std::string_view text, std::string_view key) {
    constexpr std::string_view kBlanks = " \t\r";
    int line = 0;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        std::string_view content = text.substr(start, end - start);
        start = end + 1;
        ++line;
        const auto first = content.find_first_not_of(" \t\r\"'{,?");
        if (first == std::string_view::npos || !content.substr(first).starts_with(key)) {
            continue;
        }
        content.remove_prefix(first + key.size());
        if (content.starts_with('"') || content.starts_with('\'')) {
            content.remove_prefix(1);
        }
        const auto colon = content.find_first_not_of(kBlanks);
        if (colon != std::string_view::npos && content[colon] == ':') {
            return line;
        }
    }
    return 0;
}

class ConfigReader {
public:
    ConfigReader(const Options& options, const std::vector<std::string>& other_names,
                 std::string_view file, std::string_view text)
        : options_(options), file_(file), text_(text), keys_(names_of(options, key_name)) {
        for (const auto& name : other_names) {
            others_.push_back(key_name(name));
        }
    }

    Reading read() && {
        const auto documents = json::parse_yaml(text_);
        if (!documents) {
            refuse(documents.error().message);
            return std::move(out_);
        }
        if (documents->size() > 1) {
            refuse("must be one YAML document, not several");
            return std::move(out_);
        }
        if (!documents->empty()) {
            read_map(documents->front().json);
        }
        return std::move(out_);
    }

private:
    void read_map(const json::Text& text) {
        const auto document = json::Document::parse(text.json);
        if (!document) {
            refuse(document.error().message);
            return;
        }
        const auto root = document->root();
        if (!root.is_object()) {
            refuse(fmt::format("must be a mapping of keys and values, not {}",
                               json::yaml_name(root.kind())));
            return;
        }
        for (const auto& [key, value] : root.members()) {
            take(key, value);
        }
    }

    void take(std::string_view key, json::Value value) {
        const auto found = std::ranges::find(keys_, key);
        if (found == keys_.end()) {
            if (std::ranges::find(others_, key) == others_.end()) {
                out_.errors.push_back(fmt::format("unknown key {} in {}{}", quoted(key), place(key),
                                                  did_you_mean(key, keys_)));
            }
            return;
        }
        const auto index = static_cast<std::size_t>(found - keys_.begin());
        if (options_[index].name == kConfigName) {
            refuse_value(index, key, "cannot be given in the file itself");
        } else if (const auto text = scalar(value)) {
            out_.values.emplace(index, GivenValue{*text, origin(key)});
        } else if (value.is_array()) {
            take_list(index, key, value);
        } else if (value.is_object()) {
            refuse_value(index, key, "must be a single value, not a mapping");
        }  // null is absent, as everywhere in Kubernetes
    }

    void take_list(std::size_t index, std::string_view key, json::Value list) {
        if (!is_list(options_[index])) {
            refuse_value(index, key, "must be a single value, not a list");
            return;
        }
        std::string joined;
        for (const json::Value item : list.items()) {
            const auto text = scalar(item);
            if (!text) {
                refuse_value(index, key,
                             fmt::format("must be a list of single values, and has {} in it",
                                         json::yaml_name(item.kind())));
                return;
            }
            joined += joined.empty() ? *text : ',' + *text;
        }
        out_.values.emplace(index, GivenValue{joined, origin(key)});
    }

    void refuse(std::string_view reason) {
        out_.errors.push_back(fmt::format("--{}: {}: {}", kConfigName, file_, reason));
    }

    void refuse_value(std::size_t index, std::string_view key, std::string_view reason) {
        out_.errors.push_back(
            fmt::format("--{}: {} (from {})", options_[index].name, reason, origin(key)));
    }

    [[nodiscard]] std::string place(std::string_view key) const {
        const int line = line_of_key(text_, key);
        return line == 0 ? std::string{file_} : fmt::format("{}:{}", file_, line);
    }

    [[nodiscard]] std::string origin(std::string_view key) const {
        return fmt::format("{} in {}", key, place(key));
    }

    const Options& options_;
    std::string_view file_;
    std::string_view text_;
    std::vector<std::string> keys_;  ///< by index into the table
    std::vector<std::string> others_;
    Reading out_;
};

}  // namespace

Reading read_config_text(const Options& options, const std::vector<std::string>& other_names,
                         std::string_view file, std::string_view text) {
    return ConfigReader{options, other_names, file, text}.read();
}

Reading read_config_file(const Options& options, const std::vector<std::string>& other_names,
                         const GivenValue& config) {
    const auto text = read_text_file(config.text, kMaxConfigBytes);
    if (!text) {
        Reading reading;
        reading.errors.push_back(fmt::format("--{}: {}: {} (from {})", kConfigName, config.text,
                                             text.error().message, config.origin));
        return reading;
    }
    return read_config_text(options, other_names, config.text, *text);
}

}  // namespace smw::app
