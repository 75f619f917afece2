#include "client/kubeconfig_mapping.hpp"

#include "client/text.hpp"
#include "smw/json/yaml.hpp"

#include <fmt/format.h>

#include <set>

namespace smw::client {
namespace {

bool is_empty(json::Value value) {
    switch (value.kind()) {
        case json::Kind::Null:
            return true;
        case json::Kind::String:
            return value.string()->empty();
        case json::Kind::Array:
        case json::Kind::Object:
            return value.size() == 0;
        case json::Kind::Boolean:
        case json::Kind::Number:
            return false;
    }
    return false;
}

}  // namespace

std::string shown(std::string_view name) {
    constexpr std::size_t kMost = 80;
    return printable(name, kMost);
}

std::string KubeconfigMapping::name(std::string_view key) const {
    return where_.empty() ? fmt::format("{}: {}", file_, key)
                          : fmt::format("{}: {}.{}", file_, where_, key);
}

tl::unexpected<Error> KubeconfigMapping::refuse(std::string_view key, std::string_view problem,
                                                std::source_location where) const {
    return fail(Code::BadRequest, fmt::format("{}: {}", name(key), problem), where);
}

tl::unexpected<Error> KubeconfigMapping::mistyped(std::string_view key, std::string_view wanted,
                                                  json::Kind found) const {
    return refuse(key, fmt::format("must be {}, not {}", wanted, json::yaml_name(found)));
}

bool KubeconfigMapping::has(std::string_view key) const {
    const auto value = value_.find(key);
    return value && !is_empty(*value);
}

Expected<std::string> KubeconfigMapping::text(std::string_view key) const {
    const auto value = value_.find(key);
    if (!value) {
        return std::string{};
    }
    const auto text = value->string();
    if (!text) {
        return mistyped(key, "text", value->kind());
    }
    return std::string{*text};
}

Expected<bool> KubeconfigMapping::flag(std::string_view key) const {
    const auto value = value_.find(key);
    if (!value) {
        return false;
    }
    const auto flag = value->boolean();
    if (!flag) {
        return mistyped(key, "true or false", value->kind());
    }
    return *flag;
}

Expected<std::vector<std::string>> KubeconfigMapping::texts(std::string_view key) const {
    std::vector<std::string> all;
    const auto value = value_.find(key);
    if (!value) {
        return all;
    }
    if (!value->is_array()) {
        return mistyped(key, "a list of texts", value->kind());
    }
    for (const json::Value item : value->items()) {
        const auto text = item.string();
        if (!text) {
            return mistyped(fmt::format("{}[{}]", key, all.size()), "text", item.kind());
        }
        all.emplace_back(*text);
    }
    return all;
}

Expected<void> KubeconfigMapping::check_entries(std::string_view list,
                                                std::string_view item) const {
    const auto entries = value_.find(list);
    if (!entries) {
        return {};
    }
    if (!entries->is_array()) {
        return mistyped(list, "a list", entries->kind());
    }
    std::set<std::string_view> names;
    std::size_t index = 0;
    for (const json::Value entry : entries->items()) {
        const std::string at = fmt::format("{}[{}]", list, index++);
        if (!entry.is_object()) {
            return mistyped(at, "a mapping", entry.kind());
        }
        const KubeconfigMapping mapping{file_, at, entry};
        auto name = mapping.text("name");
        if (!name) {
            return tl::unexpected(name.error());
        }
        if (name->empty()) {
            return mapping.refuse("name", "is missing");
        }
        if (!names.insert(*entry.find("name")->string()).second) {
            return mapping.refuse("name", fmt::format("{} is there twice", shown(*name)));
        }
        const auto content = entry.find(item);
        if (content && !content->is_object()) {
            return mapping.mistyped(item, "a mapping", content->kind());
        }
    }
    return {};
}

std::optional<KubeconfigMapping> KubeconfigMapping::entry(std::string_view list,
                                                          std::string_view item,
                                                          std::string_view entry) const {
    const auto entries = value_.find(list);
    if (!entries) {
        return std::nullopt;
    }
    for (const json::Value candidate : entries->items()) {
        const auto name = candidate.find("name");
        if (!name || name->string() != entry) {
            continue;
        }
        // Null and absent are a mapping without fields: the entry itself has none of them.
        return KubeconfigMapping{file_, fmt::format("{}[{}].{}", list, shown(entry), item),
                                 candidate.find(item).value_or(*name)};
    }
    return std::nullopt;
}

}  // namespace smw::client
