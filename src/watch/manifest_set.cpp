#include "smw/watch/manifest_set.hpp"

#include "smw/json/edit.hpp"
#include "smw/json/yaml.hpp"
#include "smw/watch/store.hpp"
#include "watch/manifest_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace smw::watch {
namespace {

constexpr std::string_view kLine = "line ";

std::string_view text_at(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    return member ? member->string().value_or(std::string_view{}) : std::string_view{};
}

/// "line 7: reason" as a Problem of `file`; without a line, one of the whole file.
Problem problem_of(const std::string& file, std::string_view message) {
    Problem problem;
    problem.file = file;
    problem.reason = message;
    if (!message.starts_with(kLine)) {
        return problem;
    }
    const char* const first = message.data() + kLine.size();
    const char* const last = message.data() + message.size();
    const auto [end, error] = std::from_chars(first, last, problem.line);
    const std::string_view rest{end, static_cast<std::size_t>(last - end)};
    if (error == std::errc{} && rest.starts_with(": ")) {
        problem.reason = rest.substr(2);
    } else {
        problem.line = 0;
    }
    return problem;
}

/// JSON files skip the YAML parser, which takes a hundred times as long. What is no single JSON
/// text goes that way all the same: it knows the line of an error.
Expected<std::vector<json::YamlDocument>> parse(std::string_view file, std::string_view content) {
    if (file.ends_with(".json")) {
        if (const auto document = json::Document::parse(std::string{content})) {
            json::YamlDocument whole;
            whole.json.json = document->root().text();
            return std::vector<json::YamlDocument>{std::move(whole)};
        }
    }
    return json::parse_yaml(content);
}

}  // namespace

std::string to_string(const Problem& problem) {
    if (problem.file.empty()) {
        return problem.reason;
    }
    return problem.line == 0 ? fmt::format("{}: {}", problem.file, problem.reason)
                             : fmt::format("{}:{}: {}", problem.file, problem.line, problem.reason);
}

bool is_manifest_name(std::string_view file_name) {
    return !file_name.starts_with('.') &&
           (file_name.ends_with(".yaml") || file_name.ends_with(".yml") ||
            file_name.ends_with(".json"));
}

bool is_of(json::Value object, const Resource& resource) {
    const auto api_version = text_at(object, "apiVersion");
    const auto slash = api_version.find('/');
    const bool grouped = slash != std::string_view::npos;
    const auto group = grouped ? api_version.substr(0, slash) : std::string_view{};
    const auto version = grouped ? api_version.substr(slash + 1) : api_version;
    return group == resource.group && version == resource.version &&
           text_at(object, "kind") == resource.kind;
}

Expected<json::Text> with_namespace(json::Value object) {
    const auto key = read_object_key(object);
    if (!key) {
        return tl::unexpected(key.error());
    }
    json::Text text{object.text()};
    if (!key->namespace_.empty()) {
        return text;
    }
    const json::Text patch{R"([{"op":"add","path":"/metadata/namespace","value":"default"}])"};
    return json::apply_patch(text, patch);
}

ManifestSet::ManifestSet(std::vector<Resource> resources) : resources_(std::move(resources)) {}

Expected<void> ManifestSet::collect(json::Value object, int line,
                                    std::vector<Object>& objects) const {
    if (!object.is_object()) {
        return fail(Code::BadRequest, fmt::format("line {}: expected an object, found {}", line,
                                                  json::to_string(object.kind())));
    }
    if (text_at(object, "kind") == "List") {
        const auto items = object.find("items");
        if (items && !items->is_array()) {
            return fail(Code::BadRequest, fmt::format("line {}: items is not a list", line));
        }
        for (const auto item : items ? items->items() : object.items()) {
            if (auto read = collect(item, line, objects); !read) {
                return read;
            }
        }
        return {};
    }
    const auto resource = std::ranges::find_if(
        resources_, [object](const Resource& known) { return is_of(object, known); });
    if (resource == resources_.end()) {
        return {};
    }
    auto text = with_namespace(object);
    if (!text) {
        return fail(Code::BadRequest,
                    fmt::format("line {}: {}: {}", line, resource->kind, text.error().message));
    }
    auto key = read_object_key(object);
    if (key->namespace_.empty()) {
        key->namespace_ = "default";
    }
    Object found;
    found.resource = static_cast<std::size_t>(resource - resources_.begin());
    found.key = std::move(*key);
    found.text = std::move(*text);
    found.line = line;
    objects.push_back(std::move(found));
    return {};
}

Expected<std::vector<ManifestSet::Object>> ManifestSet::read(std::string_view file,
                                                             std::string_view content) const {
    auto documents = parse(file, content);
    if (!documents) {
        return tl::unexpected(documents.error());
    }
    std::vector<Object> objects;
    for (auto& document : *documents) {
        const auto parsed = json::Document::parse(std::move(document.json.json));
        if (!parsed) {
            return fail(Code::BadRequest,
                        fmt::format("line {}: {}", document.line, parsed.error().message));
        }
        if (const auto read = collect(parsed->root(), document.line, objects); !read) {
            return tl::unexpected(read.error());
        }
    }
    return objects;
}

void ManifestSet::put(const std::string& file, std::string_view content) {
    File& known = files_[file];
    auto objects = read(file, content);
    if (objects) {
        known.objects = std::move(*objects);
        known.broken.reset();
    } else {
        known.broken = problem_of(file, objects.error().message);
    }
}

void ManifestSet::put_unreadable(const std::string& file, std::string_view reason) {
    Problem problem;
    problem.file = file;
    problem.reason = reason;
    files_[file].broken = std::move(problem);
}

void ManifestSet::erase(const std::string& file) {
    files_.erase(file);
}

ManifestSet::Winners ManifestSet::winners() const {
    Winners winners;
    for (const auto& [name, file] : files_) {
        for (const auto& object : file.objects) {
            winners.insert_or_assign({object.resource, object.key}, Place{&name, &object});
        }
    }
    return winners;
}

void ManifestSet::apply(const Resource& resource, Sink& sink) {
    auto& refused = refused_[resource.plural];
    refused.clear();
    sink.begin_relist({});
    for (const auto& [identity, place] : winners()) {
        if (resources_[identity.first] != resource) {
            continue;
        }
        const auto document = json::Document::parse(place.object->text.json);
        const auto applied = document ? sink.apply(document->root())
                                      : Expected<void>{tl::unexpected(document.error())};
        if (!applied) {
            refused.push_back({*place.file, place.object->line, applied.error().message});
        }
    }
    sink.end_relist({});
}

std::vector<Problem> ManifestSet::problems() const {
    std::vector<Problem> problems;
    const auto counting = winners();
    for (const auto& [name, file] : files_) {
        if (file.broken) {
            problems.push_back(*file.broken);
        }
        for (const auto& object : file.objects) {
            const auto& place = counting.at({object.resource, object.key});
            const bool contradicted = place.object != &object && place.object->text != object.text;
            if (contradicted) {
                auto reason = fmt::format("{} {}/{} is said again in {}:{}, which counts",
                                          resources_[object.resource].kind, object.key.namespace_,
                                          object.key.name, *place.file, place.object->line);
                problems.push_back({name, object.line, std::move(reason)});
            }
        }
    }
    for (const auto& [resource, refused] : refused_) {
        problems.insert(problems.end(), refused.begin(), refused.end());
    }
    std::ranges::sort(problems);
    return problems;
}

Expected<void> read_folder(const std::filesystem::path& folder, ManifestSet& set) {
    const auto files = scan(folder);
    if (!files) {
        return tl::unexpected(files.error());
    }
    for (const auto& [name, state] : *files) {
        if (!state.problem.empty()) {
            set.put_unreadable(name, state.problem);
        } else if (const auto content = read_file(folder / name)) {
            set.put(name, content->text);
        } else {
            set.put_unreadable(name, content.error().message);
        }
    }
    return {};
}

}  // namespace smw::watch
