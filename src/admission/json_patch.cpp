// JSON Patch, made and proven. The API server applies it with evanphx/json-patch v4, op by op, each
// on what the ones before it left.

#include "smw/admission/json_patch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace smw::admission {
namespace {

using Tokens = std::span<const std::string>;

std::string_view to_string(PatchOp::Kind kind) {
    switch (kind) {
        case PatchOp::Kind::Add:
            return "add";
        case PatchOp::Kind::Replace:
            return "replace";
    }
    return {};
}

json::Pointer pointer_of(Tokens tokens) {
    json::Pointer pointer;
    for (const auto& token : tokens) {
        pointer = pointer / token;
    }
    return pointer;
}

bool begins_with(Tokens tokens, Tokens prefix) {
    return prefix.size() <= tokens.size() &&
           std::equal(prefix.begin(), prefix.end(), tokens.begin());
}

tl::unexpected<Error> refused(const PatchOp& op, std::string_view why) {
    return fail(Code::Internal, fmt::format("{} {}: {}", to_string(op.kind), op.path.text(), why));
}

/// The object as the ops so far left it, as far as it matters where something is: a replaced string
/// stays a string, so that only what was added is kept beside the object.
class Patched {
public:
    explicit Patched(json::Value object) : object_(object) {}

    [[nodiscard]] std::optional<json::Value> resolve(const json::Pointer& path) const {
        const Tokens tokens = path.tokens();
        // The longest path is the nearest: whatever lies below an added value was added after it.
        // Of two equal ones the later replaced the earlier, which was null.
        const Added* nearest = nullptr;
        for (const auto& added : added_) {
            if (begins_with(tokens, added.at()) &&
                (nearest == nullptr || added.at().size() >= nearest->at().size())) {
                nearest = &added;
            }
        }
        if (nearest == nullptr) {
            return path.resolve(object_);
        }
        return pointer_of(tokens.subspan(nearest->at().size())).resolve(nearest->value.root());
    }

    void add(const json::Pointer& path, json::Document value) {
        added_.push_back({&path, std::move(value)});
    }

private:
    struct Added {
        const json::Pointer* path;  // of an op of the patch, which outlives this
        json::Document value;
        [[nodiscard]] Tokens at() const { return path->tokens(); }
    };

    json::Value object_;
    std::vector<Added> added_;
};

Expected<void> prove_replace(const PatchOp& op, json::Value value, const Patched& patched) {
    const auto target = patched.resolve(op.path);
    if (!target || target->kind() != json::Kind::String) {
        return refused(op, "there is no string at this path");
    }
    if (value.kind() != json::Kind::String) {
        return refused(op, "the value that replaces a string is none");
    }
    return {};
}

Expected<void> prove_add(const PatchOp& op, const Patched& patched) {
    const Tokens path = op.path.tokens();
    const auto parent = patched.resolve(pointer_of(path.first(path.size() - 1)));
    if (!parent || !parent->is_object()) {
        return refused(op, "its parent is no object");
    }
    const auto member = patched.resolve(op.path);
    if (member && !member->is_null()) {
        return refused(op, "it is there already");
    }
    return {};
}

Expected<void> prove_op(const PatchOp& op, Patched& patched) {
    // RFC 6902 allows the empty path, the whole document; the API server's library does not.
    if (op.path.tokens().empty()) {
        return refused(op, "the path is empty");
    }
    auto value = json::Document::parse(op.value.json);
    if (!value) {
        return refused(op, "the value is no JSON");
    }
    switch (op.kind) {
        case PatchOp::Kind::Replace:
            return prove_replace(op, value->root(), patched);
        case PatchOp::Kind::Add:
            if (auto proof = prove_add(op, patched); !proof) {
                return proof;
            }
            patched.add(op.path, std::move(*value));
            return {};
    }
    return {};
}

}  // namespace

json::Text to_json(const JsonPatch& patch) {
    json::Text text;
    json::Writer writer{text.json};
    writer.begin_array();
    for (const auto& op : patch) {
        writer.begin_object();
        writer.member("op", to_string(op.kind)).member("path", op.path.text());
        writer.member("value", op.value).end_object();
    }
    writer.end_array();
    return text;
}

Expected<void> prove(const JsonPatch& patch, json::Value object) {
    Patched patched{object};
    for (const auto& op : patch) {
        if (auto proof = prove_op(op, patched); !proof) {
            return proof;
        }
    }
    return {};
}

}  // namespace smw::admission
