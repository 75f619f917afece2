#pragma once
// A mapping in a kubeconfig file, read field by field. Pure.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::client {

/// A name as messages show it: "dev", cut and without what a terminal acts on.
[[nodiscard]] std::string shown(std::string_view name);

/// Points into a Document, which outlives it. Errors are BadRequest, begin with name() and never
/// show a value. Absent, null and empty are the same, as with Go's omitempty.
class KubeconfigMapping {
public:
    /// `file` and `where`: "/etc/k.conf" and "users[dev].user"; an empty `where` is the whole file.
    KubeconfigMapping(std::string file, std::string where, json::Value value)
        : file_(std::move(file)), where_(std::move(where)), value_(value) {}

    [[nodiscard]] const std::string& file() const { return file_; }
    /// "/etc/k.conf: users[dev].user.token".
    [[nodiscard]] std::string name(std::string_view key) const;
    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] Expected<std::string> text(std::string_view key) const;
    [[nodiscard]] Expected<bool> flag(std::string_view key) const;
    [[nodiscard]] Expected<std::vector<std::string>> texts(std::string_view key) const;

    /// Checks `list`, whose items have a `name` and a mapping `item`: clusters and cluster. Names
    /// must be text and differ.
    [[nodiscard]] Expected<void> check_entries(std::string_view list, std::string_view item) const;
    /// The mapping of the entry called `entry`; nothing when there is none. The entries are good.
    [[nodiscard]] std::optional<KubeconfigMapping> entry(std::string_view list,
                                                         std::string_view item,
                                                         std::string_view entry) const;

    /// "<name>: <problem>".
    [[nodiscard]] tl::unexpected<Error> refuse(
        std::string_view key, std::string_view problem,
        std::source_location where = std::source_location::current()) const;

private:
    [[nodiscard]] tl::unexpected<Error> mistyped(std::string_view key, std::string_view wanted,
                                                 json::Kind found) const;

    std::string file_;
    std::string where_;
    json::Value value_;
};

}  // namespace smw::client
