// Reading of ObjectMeta, field by field, with the path of what is mistyped. Any thread.

#include "smw/kube/meta.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::kube {
namespace {

std::string_view with_article(json::Kind kind) {
    switch (kind) {
        case json::Kind::Null:
            return "null";
        case json::Kind::Boolean:
            return "a boolean";
        case json::Kind::Number:
            return "a number";
        case json::Kind::String:
            return "a string";
        case json::Kind::Array:
            return "an array";
        case json::Kind::Object:
            return "an object";
    }
    return "of unknown type";
}

/// An empty path stands for the object itself.
std::string below(std::string_view path, std::string_view key) {
    return path.empty() ? std::string{key} : fmt::format("{}.{}", path, key);
}

/// The error's paths begin with the key.
Expected<OwnerReference> read_owner_reference(json::Value item) {
    if (!item.is_object()) {
        return mistyped("", json::Kind::Object, item.kind());
    }
    OwnerReference reference;
    struct Field {
        std::string_view key;
        std::string_view& target;
    };
    for (const Field field :
         {Field{"apiVersion", reference.api_version}, Field{"kind", reference.kind},
          Field{"name", reference.name}, Field{"uid", reference.uid}}) {
        const auto text = optional_string(item, field.key, "");
        if (!text) {
            return tl::unexpected(text.error());
        }
        field.target = *text;
    }
    const auto controller = optional_boolean(item, "controller", "");
    if (!controller) {
        return tl::unexpected(controller.error());
    }
    reference.controller = *controller;
    return reference;
}

tl::unexpected<Error> in_reference(Error error, std::string_view path, std::size_t index) {
    // An error about a key of the reference begins with that key, one about itself with a blank.
    const std::string_view joint = error.message.starts_with(' ') ? "" : ".";
    error.message = fmt::format("{}[{}]{}{}", path, index, joint, error.message);
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace

tl::unexpected<Error> mistyped(std::string_view path, json::Kind wanted, json::Kind found,
                               std::source_location where) {
    return fail(
        Code::BadRequest,
        fmt::format("{} must be {}, not {}", path, with_article(wanted), with_article(found)),
        where);
}

std::string_view group_of(std::string_view api_version) {
    // The last slash: with two of them it is no apiVersion, and must not pass for the first part.
    const auto slash = api_version.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : api_version.substr(0, slash);
}

Expected<std::string_view> optional_string(json::Value object, std::string_view key,
                                           std::string_view path) {
    const auto member = object.find(key);
    if (!member) {
        return std::string_view{};
    }
    const auto text = member->string();
    if (!text) {
        return mistyped(below(path, key), json::Kind::String, member->kind());
    }
    return *text;
}

Expected<bool> optional_boolean(json::Value object, std::string_view key, std::string_view path) {
    const auto member = object.find(key);
    if (!member) {
        return false;
    }
    const auto flag = member->boolean();
    if (!flag) {
        return mistyped(below(path, key), json::Kind::Boolean, member->kind());
    }
    return *flag;
}

Expected<std::optional<json::Value>> optional_object(json::Value object, std::string_view key,
                                                     std::string_view path) {
    const auto member = object.find(key);
    if (member && !member->is_object()) {
        return mistyped(below(path, key), json::Kind::Object, member->kind());
    }
    return member;
}

Expected<std::vector<OwnerReference>> read_owner_references(json::Value metadata,
                                                            std::string_view path) {
    std::vector<OwnerReference> references;
    if (!metadata.is_object() && !metadata.is_null()) {
        return mistyped(path, json::Kind::Object, metadata.kind());
    }
    const auto list = metadata.find("ownerReferences");
    if (!list) {
        return references;
    }
    if (!list->is_array()) {
        return mistyped(below(path, "ownerReferences"), json::Kind::Array, list->kind());
    }
    constexpr std::size_t kFew = 4;
    references.reserve(std::min(list->size(), kFew));
    std::size_t index = 0;
    for (const auto item : list->items()) {
        if (!item.is_null()) {
            auto reference = read_owner_reference(item);
            if (!reference) {
                return in_reference(std::move(reference).error(), below(path, "ownerReferences"),
                                    index);
            }
            // What names nothing could be there in millions, and would take 20 times its text.
            if (references.size() < kFew || !reference->kind.empty()) {
                references.push_back(*reference);
            }
        }
        ++index;
    }
    return references;
}

const OwnerReference* find_owner(const std::vector<OwnerReference>& references,
                                 std::string_view group, std::string_view kind) {
    const OwnerReference* first = nullptr;
    for (const auto& reference : references) {
        if (reference.kind != kind || reference.api_version.empty() ||
            group_of(reference.api_version) != group) {
            continue;
        }
        if (reference.controller) {
            return &reference;
        }
        if (first == nullptr) {
            first = &reference;
        }
    }
    return first;
}

}  // namespace smw::kube
