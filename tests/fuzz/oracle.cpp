#include "oracle.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace smw::fuzz {
namespace {

using Json = nlohmann::json;

/// To nlohmann a zero byte is the end of the text.
bool is_whole(std::string_view text) {
    return text.find('\0') == std::string_view::npos;
}

Json read(std::string_view text) {
    return is_whole(text) ? Json::parse(text, nullptr, false) : Json(Json::value_t::discarded);
}

}  // namespace

bool is_json(std::string_view text) {
    return is_whole(text) && Json::accept(text);
}

bool is_same_json(std::string_view left, std::string_view right) {
    const auto one = read(left);
    return !one.is_discarded() && one == read(right);
}

bool has_doubles(json::Value value) {
    std::set<std::string_view> names;
    for (const auto& [name, member] : value.members()) {
        if (!names.insert(name).second || has_doubles(member)) {
            return true;
        }
    }
    for (const auto item : value.items()) {
        if (has_doubles(item)) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> patched(std::string_view object, std::string_view patch) {
    try {
        return Json::parse(object).patch(Json::parse(patch)).dump();
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

std::vector<std::string> differences(std::string_view before, std::string_view after) {
    std::vector<std::string> paths;
    for (const auto& op : Json::diff(read(before), read(after))) {
        paths.push_back(op["path"]);
    }
    return paths;
}

Resolved resolve(std::string_view pointer, std::string_view json) {
    Resolved resolved;
    try {
        const Json::json_pointer at{std::string{pointer}};
        resolved.is_pointer = true;
        const auto tree = Json::parse(json);
        resolved.value = tree.at(at).dump();
    } catch (const Json::exception&) {
        return resolved;
    }
    return resolved;
}

std::optional<std::string> string_at(std::string_view pointer, std::string_view json) {
    const auto tree = read(json);
    const Json::json_pointer at{std::string{pointer}};
    if (!tree.contains(at) || !tree.at(at).is_string()) {
        return std::nullopt;
    }
    return tree.at(at).get<std::string>();
}

}  // namespace smw::fuzz
