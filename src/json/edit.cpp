// The only file with nlohmann/json: it costs seconds to compile.

#include "smw/json/edit.hpp"

#include "json/parser_pool.hpp"
#include "smw/base/quote.hpp"
#include "smw/json/document.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace smw::json {
namespace {

using Tree = nlohmann::ordered_json;
using TreePointer = Tree::json_pointer;

/// Each copy can double a tree: so many values are more than any object an API server takes.
constexpr std::size_t kMaxValues = 1'000'000;

/// By way of Document, so that both read a text the same way: of duplicate keys the first counts.
Tree tree_of(Value value) {
    switch (value.kind()) {
        case Kind::Array: {
            Tree list = Tree::array();
            for (const Value item : value.items()) {
                list.push_back(tree_of(item));
            }
            return list;
        }
        case Kind::Object: {
            Tree object = Tree::object();
            for (const auto& [key, member] : value.members()) {
                if (!object.contains(key)) {
                    object.emplace(std::string{key}, tree_of(member));
                }
            }
            return object;
        }
        case Kind::String:
            return std::string{*value.string()};
        case Kind::Boolean:
            return *value.boolean();
        case Kind::Number:
            return Tree::parse(value.text());
        case Kind::Null:
            return nullptr;
    }
    return nullptr;
}

Expected<Tree> read(const Text& text, std::string_view what) {
    const auto document = Document::parse(text.json);
    if (!document) {
        return annotate(document.error(), what);
    }
    return tree_of(document->root());
}

/// Whether `tree` may be written and read back. `values` counts down.
bool is_bounded(const Tree& tree, std::size_t levels, std::size_t& values) {
    if (levels == 0 || values == 0) {
        return false;
    }
    --values;
    if (!tree.is_structured()) {
        return true;
    }
    for (const Tree& child : tree) {
        if (!is_bounded(child, levels - 1, values)) {
            return false;
        }
    }
    return true;
}

/// nlohmann takes an add below null for an object, and below a scalar for a defect in its caller.
/// RFC 6902 section 4.1 wants an object or a list there.
Expected<void> check_parent(const Tree& tree, const std::string& path) {
    const TreePointer pointer{path};
    if (pointer.empty()) {
        return {};
    }
    const TreePointer parent = pointer.parent_pointer();
    if (!tree.contains(parent)) {
        return fail(Code::BadRequest, "the parent of its path does not exist");
    }
    if (!tree.at(parent).is_structured()) {
        return fail(Code::BadRequest, "the parent of its path is neither object nor list");
    }
    return {};
}

Expected<void> apply(Tree& tree, const Tree& operation) {
    if (!operation.is_object() || !operation.contains("op") || !operation["op"].is_string() ||
        !operation.contains("path") || !operation["path"].is_string()) {
        return fail(Code::BadRequest, "needs op and path");
    }
    const auto& verb = operation["op"].get_ref<const std::string&>();
    if (verb == "add" || verb == "copy" || verb == "move") {
        auto parent = check_parent(tree, operation["path"].get_ref<const std::string&>());
        if (!parent) {
            return parent;
        }
    }
    if (verb == "remove" && !tree.contains(TreePointer{operation["path"].get<std::string>()})) {
        return fail(Code::BadRequest, "its path does not exist");
    }
    tree.patch_inplace(Tree::array({operation}));
    std::size_t values = kMaxValues;
    if (!is_bounded(tree, kMaxDepth, values)) {
        return fail(Code::BadRequest, "makes the object too large");
    }
    return {};
}

/// nlohmann's text for a failed test (501) is the operation itself; all begin with
/// "[json.exception.out_of_range.403] ".
std::string_view reason(const Tree::exception& error) {
    if (error.id == 501) {
        return "its test does not hold";
    }
    const std::string_view text = error.what();
    const std::size_t end = text.find("] ");
    return end == std::string_view::npos ? text : text.substr(end + 2);
}

}  // namespace

Expected<Text> apply_patch(const Text& object, const Text& patch) {
    auto tree = read(object, "reading the object");
    if (!tree) {
        return tl::unexpected<Error>(std::move(tree).error());
    }
    const auto operations = read(patch, "reading the patch");
    if (!operations) {
        return tl::unexpected<Error>(operations.error());
    }
    if (!operations->is_array()) {
        return fail(Code::BadRequest, "reading the patch: is no list of operations");
    }
    std::size_t index = 0;
    for (const Tree& operation : *operations) {
        const std::string attempted = fmt::format("applying operation {}", index++);
        try {
            if (auto applied = apply(*tree, operation); !applied) {
                return annotate(std::move(applied).error(), attempted);
            }
        } catch (const Tree::exception& error) {
            return annotate(Error{Code::BadRequest, std::string{reason(error)}}, attempted);
        }
    }
    return Text{tree->dump()};
}

Expected<Text> pretty(const Text& text) {
    const auto tree = read(text, "reading JSON");
    if (!tree) {
        return tl::unexpected<Error>(tree.error());
    }
    return Text{tree->dump(2)};
}

}  // namespace smw::json
