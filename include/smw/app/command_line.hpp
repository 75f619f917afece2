#pragma once
// The option table at work: values from flags, environment and file, merged and given to their
// targets. Pure but for reading the --config file.

#include "smw/base/error.hpp"
#include "smw/base/option.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smw::app {

/// What the process was started with.
struct Invocation {
    std::vector<std::string> arguments;  ///< without program and subcommand
    std::function<std::optional<std::string>(std::string_view name)> environment;
};

struct Configured {
    std::vector<std::string> operands;  ///< arguments that are no flags
    std::vector<std::string> errors;    ///< all of them, a line each; empty: every option is set
    bool help = false;                  ///< --help or -h was given: nothing was set
    /// Whether an option was given at all, by whatever way.
    std::vector<std::string> given;
};

/// Flag beats environment (SMW_ + upper snake case) beats --config file (flat YAML, camelCase)
/// beats default. `--name value`, `--name=value`, a single dash as Go's flag package takes it, a
/// bool without value is true; `--` ends the flags. An unknown flag or key is an error that names
/// the nearest known one. Unknown SMW_ variables are errors, too, but for SMW_E2E_* and
/// SMW_CACHE_DIR.
[[nodiscard]] Configured configure(const Options& options, const Invocation& invocation);

/// The groups of --help with their rows, wrapped for `columns`.
[[nodiscard]] std::string describe_options(const Options& options, std::size_t columns);

/// docs/reference.md.
[[nodiscard]] std::string reference_page(const Options& options);

// Setters for rows: parse text into a target, say in one clause what is wrong.
using Set = std::function<Expected<void>(std::string_view)>;
[[nodiscard]] Set set_string(std::string& target);
[[nodiscard]] Set set_bool(bool& target);
/// 0 to 65535.
[[nodiscard]] Set set_port(std::uint16_t& target);
/// Decimal, at least `least`.
[[nodiscard]] Set set_count(std::size_t& target, std::size_t least);
/// A byte count: decimal, or with Ki, Mi, Gi.
[[nodiscard]] Set set_bytes(std::size_t& target);
/// A Go duration, not negative.
[[nodiscard]] Set set_duration(std::chrono::steady_clock::duration& target);
/// By comma; blanks around the entries are taken off, empty ones are errors.
[[nodiscard]] Set set_list(std::vector<std::string>& target);

/// ":8080", "127.0.0.1:0", "[::1]:8080"; "0" or empty is off.
struct BindAddress {
    bool enabled = true;
    std::string host;  ///< empty: all interfaces
    std::uint16_t port = 0;
    friend bool operator==(const BindAddress&, const BindAddress&) = default;
};
[[nodiscard]] Set set_bind_address(BindAddress& target);

}  // namespace smw::app
