#pragma once
// One row of the option table. The table of a process is the rows of app/ and of each system; it
// drives parsing, merging (flag over environment over file), --help and docs/reference.md.

#include "smw/base/error.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace smw {

/// A value is given as text, whichever way it came in. `set` parses it into its target and says in
/// one clause what is wrong with it ("must be a duration such as 15s").
struct Option {
    std::string name;     ///< kebab-case, without dashes: "webhook-port"
    std::string group;    ///< heading in --help: "Listeners"
    std::string type;     ///< what a person types: "port", "duration", "bool", "file", "a|b|c"
    std::string initial;  ///< the default as a person would type it; empty: none
    std::string text;     ///< one sentence for --help
    std::function<Expected<void>(std::string_view)> set;
};

using Options = std::vector<Option>;

}  // namespace smw
