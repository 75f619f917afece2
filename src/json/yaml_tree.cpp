#include "json/yaml_tree.hpp"

#include "json/yaml_scalar.hpp"
#include "smw/base/quote.hpp"

#include <fmt/format.h>
#include <yaml-cpp/mark.h>

#include <algorithm>

namespace smw::json {
namespace {

/// As deep as a Document may be.
constexpr std::size_t kMaxHeight = 1024;
/// Members that merge keys may look at in all: keys that are merged again and again cost time
/// though they add no text.
constexpr std::size_t kMaxMerged = 100'000;
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

[[noreturn]] void refuse(int line, std::string reason) {
    throw YamlRefused{line, std::move(reason)};
}

bool fits_tag(ScalarKind kind, std::string_view name) {
    return (name == "null" && kind == ScalarKind::Null) ||
           (name == "bool" && kind == ScalarKind::Boolean) ||
           (name == "int" && kind == ScalarKind::Integer) ||
           (name == "float" && (kind == ScalarKind::Float || kind == ScalarKind::Integer));
}

/// `tag` as yaml-cpp gives it: "?" for a plain scalar, "!" for a quoted one.
Scalar resolve(std::string_view tag, const std::string& text, int line) {
    const bool is_core = tag.substr(0, kTagPrefix.size()) == kTagPrefix;
    const std::string_view name = is_core ? tag.substr(kTagPrefix.size()) : "";
    if (name == "binary") {
        refuse(line, "!!binary is not supported");
    }
    const bool typed = name == "null" || name == "bool" || name == "int" || name == "float";
    if (tag != "?" && !typed) {
        return {ScalarKind::String, text};
    }
    auto scalar = resolve_plain(text);
    if (!scalar) {
        refuse(line, std::move(scalar).error().message);
    }
    if (typed && !fits_tag(scalar->kind, name)) {
        refuse(line, fmt::format("is tagged !!{} and is none", name));
    }
    return *std::move(scalar);
}

}  // namespace

std::uint64_t YamlTree::size() const {
    return root_ == nullptr || root_->kind == NodeKind::Null ? 0 : root_->size;
}

std::string YamlTree::json() const {
    std::string out;
    if (root_ != nullptr) {
        out.reserve(root_->size);
        append(out, *root_);
    }
    return out;
}

void YamlTree::OnDocumentStart(const YAML::Mark& mark) {
    line_ = mark.line + 1;
    position_ = mark.pos;
}

void YamlTree::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    Node& node = add(NodeKind::Null, mark, anchor);
    node.text = "null";
    measure(node);
    place(node, node.line);
}

void YamlTree::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
        refuse(mark.line + 1, "an alias refers to a merge key");
    }
    if (!found->second->complete) {
        refuse(mark.line + 1, "an alias stands inside what it refers to");
    }
    place(*found->second, mark.line + 1);
}

void YamlTree::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                        const std::string& value) {
    const bool is_merge =
        expects_key() && value == "<<" && (tag == "?" || tag == fmt::format("{}merge", kTagPrefix));
    if (is_merge) {
        open_.back().key.reset();
        open_.back().key_is_next = false;
        open_.back().merges = true;
        return;
    }
    Scalar scalar = resolve(tag, value, mark.line + 1);
    Node& node = add(NodeKind::Scalar, mark, anchor);
    if (scalar.kind == ScalarKind::String) {
        node.kind = NodeKind::String;
    } else if (scalar.kind == ScalarKind::Null) {
        node.kind = NodeKind::Null;
    }
    node.text = std::move(scalar.json);
    measure(node);
    place(node, node.line);
}

void YamlTree::OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                               YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
    open(NodeKind::Sequence, mark, anchor);
}

void YamlTree::OnSequenceEnd() {
    close();
}

void YamlTree::OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                          YAML::EmitterStyle::value /*style*/) {
    open(NodeKind::Mapping, mark, anchor);
}

void YamlTree::OnMapEnd() {
    if (open_.back().merges) {
        spread_merges(open_.back());
    }
    close();
}

bool YamlTree::expects_key() const {
    return !open_.empty() && open_.back().key_is_next;
}

YamlTree::Node& YamlTree::add(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Node& node = nodes_.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    if (anchor != 0) {
        anchors_[anchor] = &node;
    }
    return node;
}

void YamlTree::place(const Node& node, int line) {
    if (open_.empty()) {
        root_ = &node;
        return;
    }
    Open& around = open_.back();
    if (around.key_is_next) {
        take_key(node, line);
        return;
    }
    around.node->children.push_back({std::move(around.key), &node});
    around.key.reset();
    around.key_is_next = around.node->kind == NodeKind::Mapping;
}

/// Keys that are no strings become their text, as in sigs.k8s.io/yaml.
void YamlTree::take_key(const Node& node, int line) {
    if (node.kind != NodeKind::Scalar && node.kind != NodeKind::String) {
        refuse(line, "a mapping key must be text, not null, a list or a mapping");
    }
    Open& mapping = open_.back();
    mapping.key = node.text;
    mapping.key_is_next = false;
    if (!mapping.keys.insert(node.text).second) {
        refuse(line, fmt::format("key {} is given twice", quoted(node.text)));
    }
}

void YamlTree::open(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Open opened;
    opened.node = &add(kind, mark, anchor);
    opened.key_is_next = kind == NodeKind::Mapping;
    open_.push_back(std::move(opened));
}

void YamlTree::close() {
    Node& node = *open_.back().node;
    open_.pop_back();
    measure(node);
    place(node, node.line);
}

void YamlTree::measure(Node& node) const {
    node.complete = true;
    if (node.kind == NodeKind::Null || node.kind == NodeKind::Scalar) {
        node.size = node.text.size();
        return;
    }
    if (node.kind == NodeKind::String) {
        node.size = quoted(node.text).size();
        return;
    }
    node.size = 2;  // the brackets
    for (const Child& child : node.children) {
        node.size += child.node->size + 1 + (child.key ? quoted(*child.key).size() + 1 : 0);
        node.height = std::max(node.height, child.node->height + 1);
    }
    if (node.size > kMaxExpandedBytes) {
        refuse(node.line, "aliases expand to more than 64 MiB");
    }
    if (node.height > kMaxHeight) {
        refuse(node.line, "is nested more than 1,024 levels deep");
    }
}

/// Merge keys (https://yaml.org/type/merge.html): the mapping's own keys win, then the earlier
/// mapping of a list.
void YamlTree::spread_merges(Open& mapping) {
    std::vector<Child> children;
    std::unordered_set<std::string> taken;
    for (Child& child : mapping.node->children) {
        if (child.key) {
            children.push_back(std::move(child));
        } else {
            spread(child, mapping, children, taken);
        }
    }
    mapping.node->children = std::move(children);
}

void YamlTree::spread(const Child& merge, const Open& into, std::vector<Child>& children,
                      std::unordered_set<std::string>& taken) {
    const Node& source = *merge.node;
    if (source.kind == NodeKind::Sequence) {
        for (const Child& item : source.children) {
            if (item.node->kind != NodeKind::Mapping) {
                refuse(item.node->line, "<< needs a mapping or a list of mappings");
            }
            spread(item, into, children, taken);
        }
        return;
    }
    if (source.kind != NodeKind::Mapping) {
        refuse(source.line, "<< needs a mapping or a list of mappings");
    }
    merged_ += source.children.size() + 1;
    if (merged_ > kMaxMerged) {
        refuse(into.node->line, "merge keys repeat too much");
    }
    for (const Child& member : source.children) {
        if (!into.keys.contains(*member.key) && taken.insert(*member.key).second) {
            children.push_back(member);
        }
    }
}

/// Recursion ends at kMaxHeight.
void YamlTree::append(std::string& out, const Node& node) {
    if (node.kind == NodeKind::Null || node.kind == NodeKind::Scalar) {
        out += node.text;
        return;
    }
    if (node.kind == NodeKind::String) {
        append_quoted(out, node.text);
        return;
    }
    const bool is_mapping = node.kind == NodeKind::Mapping;
    out += is_mapping ? '{' : '[';
    std::string_view comma;
    for (const Child& child : node.children) {
        out += comma;
        comma = ",";
        if (child.key) {
            append_quoted(out, *child.key);
            out += ':';
        }
        append(out, *child.node);
    }
    out += is_mapping ? '}' : ']';
}

}  // namespace smw::json
