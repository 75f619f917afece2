#pragma once
// From yaml-cpp's events to JSON text. One YamlTree reads one document: it resolves scalars,
// aliases and merge keys, and knows the size of the JSON before it writes a byte of it.

#include "smw/base/error.hpp"

#include <yaml-cpp/eventhandler.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace smw::json {

/// Thrown through yaml-cpp, which has no other way to be stopped, and caught by parse_yaml().
struct YamlRefused {
    int line = 1;
    std::string reason;
};

inline constexpr std::uint64_t kMaxExpandedBytes = 64 * 1024 * 1024;

class YamlTree final : public YAML::EventHandler {
public:
    YamlTree() = default;
    YamlTree(const YamlTree&) = delete;
    YamlTree& operator=(const YamlTree&) = delete;
    ~YamlTree() override = default;

    /// Where the document began, from 1; nothing while there was no document.
    [[nodiscard]] std::optional<int> line() const { return line_; }
    /// yaml-cpp's position there.
    [[nodiscard]] int position() const { return position_; }
    /// Bytes of the JSON text; 0 when the document is empty (or only null).
    [[nodiscard]] std::uint64_t size() const;
    [[nodiscard]] std::string json() const;

    void OnDocumentStart(const YAML::Mark& mark) override;
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override;
    void OnSequenceEnd() override;
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override;
    void OnMapEnd() override;

private:
    enum class NodeKind { Null, Scalar, String, Sequence, Mapping };
    struct Node;
    /// `key` is nothing for items of a sequence and for merge keys.
    struct Child {
        std::optional<std::string> key;
        const Node* node = nullptr;
    };
    struct Node {
        NodeKind kind = NodeKind::Null;
        int line = 1;
        std::string text;  ///< of scalars: JSON text, of strings: the content
        std::vector<Child> children;
        std::uint64_t size = 0;  ///< bytes of JSON, aliases written out
        std::size_t height = 1;  ///< levels, aliases written out
        bool complete = false;
    };
    /// A sequence or mapping that is being read.
    struct Open {
        Node* node = nullptr;
        bool key_is_next = false;
        std::optional<std::string> key;  ///< nothing after a merge key
        bool merges = false;             ///< has a merge key
        std::unordered_set<std::string> keys;
    };

    Node& add(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor);
    /// `line` is where it stands: of an alias, not of what it refers to.
    void place(const Node& node, int line);
    void take_key(const Node& node, int line);
    void open(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor);
    void close();
    void measure(Node& node) const;
    void spread_merges(Open& mapping);
    void spread(const Child& merge, const Open& into, std::vector<Child>& children,
                std::unordered_set<std::string>& taken);
    [[nodiscard]] bool expects_key() const;

    std::optional<int> line_;
    int position_ = -1;
    std::deque<Node> nodes_;
    std::unordered_map<YAML::anchor_t, const Node*> anchors_;
    std::vector<Open> open_;
    const Node* root_ = nullptr;
    std::size_t merged_ = 0;

    static void append(std::string& out, const Node& node);
};

}  // namespace smw::json
