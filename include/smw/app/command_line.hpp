#pragma once
// The option table at work: values from flags, environment and file, merged and given to their
// targets. Pure but for reading the --config file.

#include "smw/base/error.hpp"
#include "smw/base/option.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::app {

/// By name, as execve() hands them over.
using EnvironmentVariables = std::map<std::string, std::string, std::less<>>;

/// What the process was started with.
struct Invocation {
    std::vector<std::string> arguments;  ///< without program and subcommand
    EnvironmentVariables environment;
    /// Rows of other subcommands: their variables and keys are passed over, so that one environment
    /// and one file serve all of them.
    std::vector<std::string> other_names{};
};

struct Configured {
    std::vector<std::string> operands;  ///< arguments that are no flags
    std::vector<std::string> errors;    ///< all of them, a line each; empty: every option is set
    bool help = false;                  ///< --help or -h was given: nothing was set
    /// The options that were given at all, by whatever way, in the order of the table.
    std::vector<std::string> given;
    /// As it came in: for the variables that are no twin of an option (KUBECONFIG).
    EnvironmentVariables environment{};
};

/// Flag beats environment (SMW_ + upper snake case) beats --config file (flat YAML, camelCase)
/// beats default; the setters of what was given are called once each, in the order of the table.
/// `--name value`, `--name=value`, a single dash as Go's flag package takes it, a bool without
/// value is true; of a flag given twice the last counts; `--` ends the flags. A bool is also what
/// Go's ParseBool takes. Unknown flags, keys and SMW_ variables are errors that name the nearest
/// known one, but for SMW_E2E_*, SMW_CACHE_DIR and what kubelet sets for a Service named smw-*. A
/// variable that is empty counts as not set.
[[nodiscard]] Configured configure(const Options& options, const Invocation& invocation);

/// The row of --config. A table without it reads no file.
[[nodiscard]] Option config_option();

/// The groups of --help with their rows, wrapped for `columns`.
[[nodiscard]] std::string describe_options(const Options& options, std::size_t columns);

/// The groups as Markdown tables: flag, environment variable, key, default, meaning.
[[nodiscard]] std::string reference_page(const Options& options);

// Setters for rows: parse text into a target, say in one clause what is wrong.
using Set = std::function<Expected<void>(std::string_view)>;
[[nodiscard]] Set set_string(std::string& target);
[[nodiscard]] Set set_bool(bool& target);
/// 0 to 65535.
[[nodiscard]] Set set_port(std::uint16_t& target);
inline constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();
/// Decimal, from `least` to `most`.
[[nodiscard]] Set set_count(std::size_t& target, std::size_t least, std::size_t most = kNoBound);
/// A byte count: decimal, or with Ki, Mi, Gi; not zero.
[[nodiscard]] Set set_bytes(std::size_t& target);
/// A Go duration from 0 to 8760h: what is added to a time later cannot overflow it.
[[nodiscard]] Set set_duration(std::chrono::steady_clock::duration& target);
/// By comma; blanks around the entries are taken off, empty ones are errors. Nothing at all is the
/// empty list.
[[nodiscard]] Set set_list(std::vector<std::string>& target);

/// An IPv4 or IPv6 address, the latter in brackets or not; empty is all interfaces.
[[nodiscard]] Set set_address(std::string& target);

/// ":8080", "127.0.0.1:0", "[::1]:8080"; "0" or empty is off.
struct BindAddress {
    bool enabled = true;
    std::string host;  ///< empty: all interfaces
    std::uint16_t port = 0;
    friend bool operator==(const BindAddress&, const BindAddress&) = default;
};
[[nodiscard]] Set set_bind_address(BindAddress& target);

}  // namespace smw::app
