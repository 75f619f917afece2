// A JSON Pointer in the first line, a document behind it: both read as nlohmann reads them, and a
// patch that was proven applies.

#include "oracle.hpp"
#include "smw/admission/json_patch.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <optional>

namespace smw::fuzz {
namespace {

constexpr std::string_view kImage = "registry.example/a:1";

/// What is no UTF-8 is written as something else.
bool is_json_text(std::string_view text) {
    std::string quoted;
    json::append_string(quoted, text);
    const auto document = json::Document::parse(quoted);
    return document && document->root().string() == text;
}

void check_patch(admission::PatchOp::Kind kind, const json::Pointer& path, json::Value root,
                 std::string_view object) {
    admission::PatchOp op;
    op.kind = kind;
    op.path = path;
    json::append_string(op.value.json, kImage);
    const admission::JsonPatch patch{op};
    const auto proof = admission::prove(patch, root);
    if (!proof) {
        return;
    }
    const auto result = patched(object, admission::to_json(patch).json);
    check(result.has_value(), "a patch was proven and does not apply");
    check(string_at(path.text(), *result) == kImage, "a patch that does not do what it says");
}

}  // namespace

void patch(std::string_view bytes) {
    const auto text = take_until(bytes, '\n');
    const auto pointer = json::Pointer::parse(text);
    const auto document = json::Document::parse(std::string{bytes});
    check(!pointer || pointer->text() == text, "a pointer is not what it was read from");
    if (!is_json_text(text) || !document || has_doubles(document->root())) {
        return;
    }
    const auto theirs = resolve(text, bytes);
    check(pointer.has_value() == theirs.is_pointer, "a pointer for one, and not for the other");
    if (!pointer) {
        return;
    }
    const auto ours = pointer->resolve(document->root());
    check(ours.has_value() == theirs.value.has_value(), "only one of two finds it");
    check(!ours || is_same_json(ours->text(), *theirs.value), "two find something else");
    for (const auto kind : {admission::PatchOp::Kind::Add, admission::PatchOp::Kind::Replace}) {
        check_patch(kind, *pointer, document->root(), bytes);
    }
}

}  // namespace smw::fuzz
