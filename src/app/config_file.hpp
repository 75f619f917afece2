#pragma once
// The --config file: flat YAML with camelCase keys.

#include "app/option_names.hpp"

namespace smw::app {

/// `other_names`: rows of other subcommands, whose keys are passed over.
[[nodiscard]] Reading read_config_text(const Options& options,
                                       const std::vector<std::string>& other_names,
                                       std::string_view file, std::string_view text);

/// Reads the file that `config` names. A file that cannot be read is an error that says who asked
/// for it.
[[nodiscard]] Reading read_config_file(const Options& options,
                                       const std::vector<std::string>& other_names,
                                       const GivenValue& config);

}  // namespace smw::app
